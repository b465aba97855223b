# Two stages: wheels are made in the first, only the finished environment reaches the second.
#   docker build -t witbuild .
#   docker build -t witbuild-train --build-arg EXTRAS=train .
ARG BASE=python:3.12-slim-bookworm

FROM ${BASE} AS build
ARG EXTRAS=""
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python3 -m venv /opt/witbuild
WORKDIR /src
COPY pyproject.toml README.md ./
COPY witbuild witbuild
COPY pipelines pipelines
COPY queries queries
RUN if [ -n "$EXTRAS" ]; then target=".[$EXTRAS]"; else target="."; fi \
 && /opt/witbuild/bin/pip install "$target" \
 && /opt/witbuild/bin/pip uninstall --yes pip setuptools \
 && find /opt/witbuild -name __pycache__ -type d -prune -exec rm -rf {} +

FROM ${BASE}
LABEL org.opencontainers.image.title="witbuild" \
      org.opencontainers.image.description="Rebuild WIT, the data set CLIP was trained on, and train a CLIP on it." \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/witbuild /opt/witbuild
# Compiled kernels are cached where the unprivileged user may write.
ENV PATH=/opt/witbuild/bin:$PATH PYTHONUNBUFFERED=1 NUMBA_CACHE_DIR=/tmp/witbuild-kernels
RUN useradd --create-home --uid 10001 witbuild && mkdir /data && chown witbuild:witbuild /data
USER witbuild
WORKDIR /data
ENTRYPOINT ["witbuild"]
