# The image of the service. What it holds and how to run it: docker/README.md.
ARG PYTHON_VERSION=3.13

FROM python:${PYTHON_VERSION}-slim AS build
WORKDIR /build
COPY requirements.lock ./
# Wheels only: the image has no compiler, and nothing that is installed may run code of its own here.
# The environment gets no pip of its own.
RUN python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv/bin/python --disable-pip-version-check --no-cache-dir \
        install --no-deps --only-binary=:all: --require-hashes -r requirements.lock \
    && pip --python /opt/venv/bin/python --disable-pip-version-check check
COPY docker/switchgate /opt/venv/bin/switchgate
COPY alembic.ini /app/alembic.ini
COPY migrations /app/migrations
COPY app /app/app
# Compiled here, because the service may not write to its own code (and its root may be read-only).
RUN python -m compileall -q --invalidation-mode unchecked-hash /app/app /app/migrations

FROM python:${PYTHON_VERSION}-slim
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Switchgate" \
      org.opencontainers.image.description="Holds every ECS blue/green traffic switch until a person approves it." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 \
    PORT=8080 \
    SWITCHGATE_CONFIG=/etc/switchgate/switchgate.toml
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
COPY docker/entrypoint /usr/local/bin/entrypoint
WORKDIR /app
# A number, so that an orchestrator can see that it is not root.
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-I", "-c", "import os, urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:' + os.environ.get('PORT', '8080') + '/healthz', timeout=2)"]
ENTRYPOINT ["entrypoint"]
CMD ["serve"]
