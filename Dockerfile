# GPU image: the PyTorch wheels carry CUDA, so the host needs only the NVIDIA
# driver and its container toolkit.
#   docker build -t mmwsss .
#   docker run --gpus all --shm-size 8g -it -v /path/to/data:/mmwsss/data mmwsss
FROM python:3.11-slim

RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        build-essential git \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /mmwsss
# The packages first: a layer that a change of code leaves alone.
COPY requirements requirements
RUN pip install --no-cache-dir -c requirements/lock.txt \
        torch torchvision setuptools wheel \
    && MMCV_WITH_OPS=0 pip install --no-cache-dir --no-deps \
        --no-build-isolation -r requirements/lock.txt \
    && CYTHON_FORCE_REGEN=1 PIP_CONSTRAINT=requirements/build.txt \
        PIP_BUILD_CONSTRAINT=requirements/build.txt \
        pip install --no-cache-dir --no-deps pydensecrf==1.0rc3

COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation -e .

CMD ["bash"]
