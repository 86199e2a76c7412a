# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""A slow stand-in for tools that write many files: OUT COUNT TEXT [INPUT].

It skips files that are whole, as our tools do, and writes each in two halves
under a temporary name. With --no-skip it writes all of them anew, in place. After as
many files as TOY_STEPS_WAIT says it waits to be killed.
"""

import hashlib
import json
import os
import sys
import time

arguments = [word for word in sys.argv[1:] if not word.startswith('--')]
out, count, text, *inputs = arguments
delay = 0.004
seen = ''
for folder in inputs:
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name)) as file:
            seen += file.read()
os.makedirs(out, exist_ok=True)
for number in range(int(count)):
    path = os.path.join(out, f'{number:03d}.txt')
    content = hashlib.sha256(f'{number} {text} {seen}'.encode()).hexdigest()
    if '--no-skip' in sys.argv:
        temporary = path
    elif os.path.exists(path):
        continue
    else:
        temporary = os.path.join(out, f'.{number}.{os.getpid()}.tmp')
    with open(temporary, 'w') as file:
        file.write(content[:32])
        file.flush()
        time.sleep(delay)
        file.write(content[32:])
    os.replace(temporary, path)
    print(f'{number} of {count}')
    if os.environ.get('TOY_STEPS_WAIT') == str(number + 1):
        time.sleep(600)
if '--measure' in sys.argv:
    with open(os.path.join(out, 'metrics.json'), 'w') as file:
        json.dump(dict(score=int(content[:4], 16) / 65536), file)
