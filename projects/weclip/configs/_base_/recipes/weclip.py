# CLIP's weights and words, one training, its test, with CRF where the config asks for
# it, and labels of train.
# The recipe gives: localizer (config), and a data set, such as voc.py.
_base_ = [
    '../../../../../configs/_base_/recipes/single_stage.py',
    '../../../../clip_es/configs/_base_/recipes/clip.py'
]
weights = 'openai'
load = {'load_from': '{clip}/clip.pth'}
train_step, test_step, *label_steps = _base_.localization_steps
weclip_steps = [
    _base_.clip_step,
    dict(train_step, cfg_options=load),
    dict(test_step, show=['mIoU', 'crf/mIoU']),
    *label_steps,
]
weclip_report_step = dict(
    _base_.report_step,
    headline=[
        dict(title='mIoU on val', value='{test_localizer:mIoU}'),
        dict(title='mIoU of the labels', value='{score_pseudo_labels:mask/mIoU}'),
    ],
    sections=[
        dict(_base_.train_section, columns=_base_.columns[:1]),
        dict(
            _base_.val_section,
            columns=[dict(title='Prediction', masks='{test_localizer}/masks')])
    ],
    curves=[dict(title='Training', train='{train_localizer}')])
steps = [*weclip_steps, weclip_report_step]
