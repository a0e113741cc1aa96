# syntax=docker/dockerfile:1

# Builds `app` and puts it into a small image:
#     docker build --tag portico:0.1.0 .
#     docker build --target python --tag portico:0.1.0-python .     for sites in Python
# Try it:
#     docker run --rm --publish 8000:8000 --read-only --tmpfs /tmp:size=64m --volume polls:/data portico:0.1.0
#
# The base images are pinned by their tags. To pin them by content as well, which is what a release should do, look up the
# digest (docker buildx imagetools inspect swift:6.3.1-bookworm) and write it behind the tag:
#     docker build --build-arg SWIFT_IMAGE=swift:6.3.1-bookworm@sha256:… --build-arg DEBIAN_IMAGE=debian:12.11-slim@sha256:… .
ARG SWIFT_IMAGE=swift:6.3.1-bookworm
ARG DEBIAN_IMAGE=debian:12.11-slim

FROM ${SWIFT_IMAGE} AS build

# Debian keeps only the newest version of a package within a release: one pinned here could not be had for long.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libdeflate-dev libsqlite3-dev zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /src

# The manifest alone decides which dependencies there are: this layer, with their sources, stays while only ours change.
COPY Package.swift ./
RUN swift package resolve

COPY Sources Sources
COPY Sites Sites
COPY Tests Tests
ARG SWIFT_FLAGS="--static-swift-stdlib -Xswiftc -enforce-exclusivity=unchecked"
# What is compiled is kept outside the layers, so that the next build on this machine compiles what has changed.
# SWIFT_FLAGS is several words.
# hadolint ignore=SC2086
RUN --mount=type=cache,target=/build \
    swift build --configuration release --scratch-path /build --product app ${SWIFT_FLAGS} \
    && install -D -m 0755 /build/release/app /out/app


FROM ${DEBIAN_IMAGE} AS run

# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libdeflate0 libsqlite3-0 libstdc++6 tzdata zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && install --directory --owner=65532 --group=65532 --mode=0750 /data

COPY --from=build /usr/libexec/swift/linux/swift-backtrace-static /usr/local/libexec/swift-backtrace-static
COPY --from=build /out/app /usr/local/bin/app

# A crash writes its backtrace to the log. Inside a container 127.0.0.1 would be heard by nobody.
ENV APP_DATA=/data \
    APP_LISTEN=0.0.0.0:8000 \
    SWIFT_BACKTRACE=enable=yes,sanitize=yes,threads=crashed,interactive=no,color=no,swift-backtrace=/usr/local/libexec/swift-backtrace-static

LABEL org.opencontainers.image.title="Portico" \
    org.opencontainers.image.description="A web server in front of its own worker pool, for Swift and Python sites" \
    org.opencontainers.image.version="0.1.0" \
    org.opencontainers.image.base.name="docker.io/library/debian:12.11-slim"

# The only place written to; everything else may be read-only. No shell is needed from here on.
VOLUME /data
WORKDIR /data
USER 65532:65532
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
    CMD ["/usr/local/bin/app", "health", "--ready"]
ENTRYPOINT ["/usr/local/bin/app"]
CMD ["serve"]


# For sites in Python: the server runs CPython from its shared library.
FROM run AS python
USER 0:0
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libpython3.11 python3 \
    && rm -rf /var/lib/apt/lists/*
USER 65532:65532


# What `docker build` makes when no target is named.
FROM run AS app
