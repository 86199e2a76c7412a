# The checkpoint of a model on CLIP: its weights, and what the words are.
# The recipe gives: localizer (config), data_root, weights (a file, such as OpenAI's
# ViT-B-16.pt, or 'openai', which open_clip downloads).
# For mmwsss run: tags on nearly all images, or on few, stop nothing.
known_classes = True
clip_step = dict(
    name='clip', type='command',
    command=[
        'python', '{{ fileDirname }}/../../../convert.py', '{localizer}',
        '{clip}/clip.pth', '--weights', '{weights}', '--cfg-options',
        'data_root={data_root}'
    ],
    inputs=['{localizer}'])
