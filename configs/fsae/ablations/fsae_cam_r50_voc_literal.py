# The paper to the letter: a sum over pixels, all classes in the softmax. (The sum
# is some thousand times the other losses.)
_base_ = '../fsae_cam_r50_voc.py'

model = dict(loss_fsae=dict(reduction='sum', label_filter='none'))
