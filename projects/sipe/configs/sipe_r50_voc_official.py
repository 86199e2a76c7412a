# As the published code, to the letter: absent classes lower the background and take
# pixels in seeds, and padding counts.
# PYTHONPATH=. python tools/train.py projects/sipe/configs/sipe_r50_voc_official.py
_base_ = './sipe_r50_voc.py'

model = dict(decode_head=dict(absent_compete=True, count_padding=True))
