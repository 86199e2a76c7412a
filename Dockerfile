# GPU image: the PyTorch wheels carry CUDA, so the host needs only the NVIDIA
# driver and its container toolkit.
#   docker build -t mmwsss .
#   docker run --gpus all --shm-size 8g -it -v /path/to/data:/mmwsss/data mmwsss
FROM python:3.11-slim

RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /mmwsss
# The packages first: a layer that a change of code leaves alone. Builds of
# packages that come as source are held to the lock file as well.
COPY requirements requirements
RUN export PIP_CONSTRAINT=/mmwsss/requirements/lock.txt \
        PIP_BUILD_CONSTRAINT=/mmwsss/requirements/lock.txt \
    && pip install --no-cache-dir torch torchvision \
    && pip install --no-cache-dir --no-deps -r requirements/lock.txt

COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation -e .

CMD ["bash"]
