# The checkpoint of a model on CLIP: its weights, and what the words are.
# The recipe gives: localizer (config), data_root.
# A file, such as OpenAI's ViT-B-16.pt, or a name that open_clip downloads.
weights = 'openai'
clip_step = dict(
    name='clip', type='command',
    command=[
        'python', '{{ fileDirname }}/../../../convert.py', '{localizer}',
        '{clip}/clip.pth', '--weights', '{weights}', '--cfg-options',
        'data_root={data_root}'
    ],
    inputs=['{localizer}'])
