// Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
// Draws the photos of a report; report_images.py says what the data are.
'use strict';
(() => {
  const IGNORE = 255;
  const IGNORE_COLOR = [224, 224, 192];

  // Text only ever becomes text: names may hold anything.
  const make = (tag, className, text) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const percent = (value) => value == null ? '–' : value.toFixed(1);
  const mean = (values) => {
    const known = values.filter((value) => value != null);
    return known.length ? known.reduce((sum, v) => sum + v, 0) / known.length : null;
  };

  const load = (kind, data) => new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => reject(new Error('a picture of this report is damaged'));
    image.src = `data:image/${kind};base64,${data}`;
  });
  const pixelsOf = (image) => {
    const canvas = make('canvas');
    canvas.width = image.naturalWidth;
    canvas.height = image.naturalHeight;
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, canvas.width, canvas.height).data;
  };

  const explore = (section) => {
    const source = document.getElementById(section.dataset.source);
    const data = JSON.parse(source.textContent);
    const state = { level: null };
    const hasSeeds = data.columns.some((column) => column.seed);
    const last = data.columns.length - 1;
    const levelOf = (column) => !column.seed ? 0 : state.level ?? column.own;

    // --- Controls
    const tools = make('div', 'tools');
    const labelled = (text, control) => {
      const label = make('label', '', text);
      label.append(control);
      tools.append(label);
      return control;
    };
    const choice = (text, name, options) => {
      const select = labelled(text, make('select', name));
      for (const [value, said] of options) {
        const option = make('option', '', said);
        option.value = value;
        select.append(option);
      }
      return select;
    };
    let slider = null;
    const shownLevel = make('output', 'level');
    if (hasSeeds) {
      slider = make('input', 'threshold');
      slider.type = 'range';
      slider.min = 0;
      slider.max = data.thresholds.length - 1;
      slider.value = Math.max(...data.columns.filter((c) => c.seed).map((c) => c.own));
      labelled('Threshold of seeds ', slider).after(shownLevel);
      const own = make('button', 'own', 'each at its own');
      own.type = 'button';
      own.addEventListener('click', () => { state.level = null; changed(); });
      tools.append(own);
      slider.addEventListener('input', () => {
        state.level = Number(slider.value);
        changed();
      });
    }
    const orders = [['name', 'name']];
    if (data.scored) {
      data.columns.forEach((column, i) => {
        orders.push([`worst${i}`, `worst ${column.title}`]);
        orders.push([`best${i}`, `best ${column.title}`]);
      });
      orders.push(['class', 'worst in the chosen class']);
    }
    if (data.columns.length > 1) {
      orders.push(['disagreement',
        `${data.columns[last - 1].title} and ${data.columns[last].title} disagree`]);
    }
    const order = choice('Order ', 'order', orders);
    if (data.scored) order.value = `worst${last}`;
    const present = new Set(data.images.flatMap((p) => [...p.tags, ...p.shown]));
    const classChoice = choice('Class ', 'class', [['', 'all'],
      ...[...present].sort((a, b) => a - b).map((i) => [i, data.classes[i]])]);
    const search = labelled('Name ', make('input', 'search'));
    search.type = 'search';
    const count = make('span', 'count soft');
    tools.append(count);

    // --- Numbers
    const numbers = make('div', 'scroll');
    const table = make('table', 'steps classes');
    numbers.append(table);
    const cells = [];
    if (data.scored) {
      const head = make('tr');
      head.append(make('th', '', 'Class'));
      data.columns.forEach((c) => head.append(make('th', 'number', c.title)));
      const top = make('thead');
      top.append(head);
      const body = make('tbody');
      const row = (name, color, values) => {
        const line = make('tr');
        const first = make('td');
        if (color) {
          const patch = make('i', 'patch');
          patch.style.background = `rgb(${color.join(',')})`;
          first.append(patch);
        }
        first.append(make(color ? 'span' : 'b', '', name));
        line.append(first);
        data.columns.forEach((column) => {
          const cell = make('td', 'number');
          cells.push([cell, () => percent(values(column.iou[levelOf(column)]))]);
          line.append(cell);
        });
        body.append(line);
      };
      row('mean', null, (ious) => mean(ious));
      data.classes.forEach((name, i) => {
        if (data.columns.some((c) => c.iou.some((ious) => ious[i] != null))) {
          row(name, data.colors[i], (ious) => ious[i]);
        }
      });
      table.append(top, body);
    }

    // --- Photos
    const list = make('div', 'images');
    const items = data.images.map((image, index) => {
      const node = make('div', 'image');
      node.dataset.index = index;
      return { image, node, visible: false, pixels: null, redraw: null };
    });
    const byNode = new Map(items.map((item) => [item.node, item]));

    const paint = (canvas, item, classAt) => {
      const [width, height] = item.image.size;
      canvas.width = width;
      canvas.height = height;
      const context = canvas.getContext('2d');
      const picture = context.createImageData(width, height);
      const { rgb } = item.pixels;
      for (let i = 0; i < width * height; i += 1) {
        const label = classAt ? classAt(i) : 0;
        const grey = (rgb[4 * i] + rgb[4 * i + 1] + rgb[4 * i + 2]) / 3;
        const color = label === IGNORE ? IGNORE_COLOR : data.colors[label];
        for (let k = 0; k < 3; k += 1) {
          const value = rgb[4 * i + k];
          const muted = 0.25 * value + 0.75 * grey;
          picture.data[4 * i + k] = !classAt ? value :
            label ? 0.25 * muted + 0.75 * color[k] : muted;
        }
        picture.data[4 * i + 3] = 255;
      }
      context.putImageData(picture, 0, 0);
    };

    const draw = (item) => {
      const { image, pixels } = item;
      const [width, height] = image.size;
      const size = width * height;
      const plane = (n) => (i) => pixels.maps[4 * (n * size + i)];
      const parts = [];
      const add = (title, classAt, caption) => {
        const figure = make('figure');
        const canvas = make('canvas');
        canvas.setAttribute('role', 'img');
        canvas.setAttribute('aria-label', `${image.id}: ${title}`);
        const text = make('figcaption', '', title);
        figure.append(canvas, text);
        parts.push(figure);
        const update = () => {
          paint(canvas, item, classAt);
          text.textContent = caption ? `${title} ${caption()}` : title;
        };
        update();
        return update;
      };
      add('Photo', null);
      const updates = [];
      let at = 0;
      data.columns.forEach((column, i) => {
        const caption = image.scored ?
          () => percent(image.iou[i][levelOf(column)]) : null;
        if (column.seed) {
          const best = plane(at);
          const level = plane(at + 1);
          updates.push(add(column.title,
            (p) => level(p) > levelOf(column) ? best(p) : 0, caption));
          at += 2;
        } else {
          add(column.title, plane(at), caption);
          at += 1;
        }
      });
      if (image.scored) add('Ground truth', plane(at));
      const title = make('p', 'name');
      title.append(make('b', '', image.id));
      image.tags.forEach((i) => {
        const patch = make('i', 'patch');
        patch.style.background = `rgb(${data.colors[i].join(',')})`;
        title.append(patch, make('span', '', data.classes[i]));
      });
      if (image.disagreement != null) {
        title.append(make('span', 'soft', `disagreement ${percent(image.disagreement)}`));
      }
      const row = make('div', 'row');
      row.append(...parts);
      item.node.replaceChildren(title, row);
      item.redraw = () => updates.forEach((update) => update());
    };

    const show = async (item) => {
      item.visible = true;
      const [jpeg, png] = await Promise.all(
        [load('jpeg', item.image.jpeg), load('png', item.image.maps)]);
      if (!item.visible) return;
      item.pixels = { rgb: pixelsOf(jpeg), maps: pixelsOf(png) };
      draw(item);
      item.node.style.minHeight = '0';
    };
    const hide = (item) => {
      if (item.redraw) item.node.style.minHeight = `${item.node.offsetHeight}px`;
      Object.assign(item, { visible: false, pixels: null, redraw: null });
      item.node.replaceChildren();
    };
    const watcher = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        const item = byNode.get(entry.target);
        if (entry.isIntersecting && !item.visible) show(item);
        else if (!entry.isIntersecting && item.visible) hide(item);
      }
    }, { rootMargin: '400px' });
    items.forEach((item) => watcher.observe(item.node));

    // --- What the controls do
    const valueOf = (image) => {
      const [, kind, number] = order.value.match(/^(\D+)(\d*)$/);
      if (kind === 'disagreement') return -image.disagreement;
      if (kind === 'class') {
        const found = image.classes.find(([i]) => String(i) === classChoice.value);
        return found ? found[1] : null;
      }
      const value = image.iou[number]?.[levelOf(data.columns[number])];
      return value == null ? null : kind === 'best' ? -value : value;
    };
    const arrange = () => {
      const wanted = classChoice.value === '' ? null : Number(classChoice.value);
      const words = search.value.trim().toLowerCase();
      const chosen = items.filter(({ image }) =>
        (wanted == null || image.tags.includes(wanted) || image.shown.includes(wanted)) &&
        image.id.toLowerCase().includes(words));
      if (order.value !== 'name') {
        const keys = new Map(chosen.map((item) => [item, valueOf(item.image)]));
        // Photos without a number come last.
        chosen.sort((a, b) => (keys.get(a) ?? Infinity) - (keys.get(b) ?? Infinity));
      }
      list.replaceChildren(...chosen.map((item) => item.node));
      const all = data.total > items.length ?
        ` (of ${data.total}; masks first, evenly chosen, and numbers are of these)` : '';
      count.textContent = `${chosen.length} of ${items.length} photos${all}`;
    };
    let pending = 0;
    const changed = () => {
      if (slider) {
        shownLevel.textContent = state.level == null ? 'own' :
          data.thresholds[state.level].toFixed(2);
        if (state.level != null) slider.value = state.level;
      }
      cells.forEach(([cell, value]) => { cell.textContent = value(); });
      if (!pending) {
        pending = requestAnimationFrame(() => {
          pending = 0;
          items.forEach((item) => item.redraw && item.redraw());
        });
      }
    };
    classChoice.addEventListener('change', () => {
      if (data.scored) order.value = classChoice.value ? 'class' : `worst${last}`;
      arrange();
    });
    order.addEventListener('change', arrange);
    search.addEventListener('input', arrange);
    // Sorted anew only when the slider rests: photos shall not jump under it.
    if (slider) slider.addEventListener('change', arrange);
    section.append(tools);
    if (data.scored) section.append(numbers);
    section.append(list);
    changed();
    arrange();
  };

  document.querySelectorAll('.explorer').forEach(explore);
})();
