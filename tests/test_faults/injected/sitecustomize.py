# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Faults at named moments, in every Python process of a run.

Python imports this module at its start where its folder is on ``PYTHONPATH``. A
moment is a change of a file, or an import, as Python itself reports it to audit
hooks; its name is that of the change and of the path below the run's folder:
``rename train/iter_3.pth``. The variable ``MMWSSS_FAULT`` holds JSON:

- ``run``: a word that no other run has;
- ``folder``: below which paths count;
- ``starter``: the process that started the run;
- ``log``: a file that gets a line ``<nanoseconds> <process> <name>`` a moment;
- ``at``, ``number``: the fault comes at this moment, when a process meets it for
  the so-manieth time;
- ``reached``: a file that is made when it comes, and then it comes no more;
- ``kill``: ``'tree'``, ``'parent'``, ``'child'``, or ``''``: nobody;
- ``raises``: an error's number, and it comes at each creation from then on;
- ``pause``: seconds that each change takes;
- ``clock``: seconds by which the clock is wrong.
"""

import json
import os
import re
import signal
import sys
import time
from collections import Counter

SPEC = json.loads(os.environ.get('MMWSSS_FAULT', '{}'))
IMPORTS = ('torch', 'mmengine', 'mmseg', 'mmpretrain', 'mmwsss.recipes')
WRITES = os.O_WRONLY | os.O_RDWR
seen = Counter()
state = dict(busy=False, broken=False)


def name_of(event, args):
    """The name of a moment, or None of what is not looked at."""
    if event == 'import':
        return f'import {args[0]}' if args[0] in IMPORTS else None
    if event == 'open':
        if not args[2] & WRITES:
            return None
        path = args[0]
    elif event == 'os.rename':
        path = args[1]
    elif event in ('os.remove', 'os.mkdir', 'os.rmdir'):
        path = args[0]
    else:
        return None
    if not isinstance(path, (str, bytes, os.PathLike)):
        return None
    path = os.path.abspath(os.fsdecode(path))
    if not path.startswith(SPEC['folder'] + os.sep) or (
            event == 'os.mkdir' and os.path.isdir(path)):
        return None
    path = os.path.relpath(path, SPEC['folder'])
    path = re.sub(r'\.\w{8}\.tmp$', '.tmp', path)
    path = re.sub(r'\b\d{8}_\d{6}\b', 'TIME', path)
    return f'{event.removeprefix("os.")} {path}'


def processes():
    """The run's living processes, and the first of them."""
    found, first = [], None
    for number in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{number}/environ', 'rb') as file:
                if SPEC['run'].encode() not in file.read():
                    continue
            with open(f'/proc/{number}/stat') as file:
                state, parent = file.read().rsplit(')', 1)[1].split()[:2]
        except OSError:
            continue
        if state != 'Z':
            found.append(int(number))
            if int(parent) == SPEC['starter']:
                first = int(number)
    return found, first


def kill(whom, event, args):
    found, first = processes()
    me = os.getpid()
    victims = dict(
        tree=sorted(found, key=lambda number: number == me), parent=[first],
        child=[me] if me != first else [n for n in found if n != me][:1] or [me]
    )[whom]
    if me in victims and event == 'open' and args[2] & os.O_CREAT:
        # The worst moment of a write: the file is there, and empty.
        os.close(os.open(args[0], args[2] & ~os.O_EXCL, 0o666))
    for victim in victims:
        if victim is not None:
            os.kill(victim, signal.SIGKILL)


def is_reached():
    try:
        os.close(os.open(SPEC['reached'], os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def on_event(event, args):
    if state['busy']:
        return
    state['busy'] = True
    try:
        name = name_of(event, args)
        if name is None:
            return
        if LOG is not None:
            line = f'{time.monotonic_ns()} {os.getpid()} {name}\n'
            os.write(LOG, line.encode())
        if SPEC.get('pause') and event != 'import':
            time.sleep(SPEC['pause'])
        seen[name] += 1
        if state['broken'] and event in ('open', 'os.mkdir'):
            raise broken(args[0])
        if name == SPEC.get('at') and seen[name] == SPEC.get('number', 1) and (
                is_reached()):
            if SPEC.get('kill'):
                kill(SPEC['kill'], event, args)
            elif SPEC.get('raises'):
                state['broken'] = True
                raise broken(args[0])
    finally:
        state['busy'] = False


def broken(path):
    number = SPEC['raises']
    return OSError(number, os.strerror(number), os.fsdecode(path))


if SPEC:
    LOG = None
    if SPEC.get('log'):
        LOG = os.open(SPEC['log'], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    if SPEC.get('clock'):
        now, now_ns = time.time, time.time_ns
        time.time = lambda: now() + SPEC['clock']
        time.time_ns = lambda: now_ns() + int(SPEC['clock'] * 1e9)
    sys.addaudithook(on_event)
