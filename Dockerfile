# syntax=docker/dockerfile:1

# Builds `app` and puts it into a small image: docker build --tag portico .
# Try it:                                         docker run --rm --publish 8000:8000 --read-only --tmpfs /tmp portico

FROM swift:6.3.1-bookworm AS build

# Debian keeps only the newest version of a package within a release: one pinned here could not be had for long.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libsqlite3-dev zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /src

# The manifest alone decides which dependencies there are: their layer stays while only sources change.
COPY Package.swift ./
RUN swift package resolve

COPY Sources Sources
COPY Sites Sites
COPY Tests Tests
ARG SWIFT_FLAGS="--static-swift-stdlib -Xswiftc -enforce-exclusivity=unchecked"
# SWIFT_FLAGS is several words.
# hadolint ignore=SC2086
RUN swift build --configuration release --product app ${SWIFT_FLAGS} \
    && install -D -m 0755 "$(swift build --configuration release ${SWIFT_FLAGS} --show-bin-path)/app" /out/app

FROM debian:12.11-slim

# For Python sites add python3 and libpython3.11 to the packages: the server runs CPython from its shared library.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libsqlite3-0 libstdc++6 tzdata zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && install --directory --owner=65532 --group=65532 --mode=0750 /data

COPY --from=build /usr/libexec/swift/linux/swift-backtrace-static /usr/local/libexec/swift-backtrace-static
COPY --from=build /out/app /usr/local/bin/app

# A crash writes its backtrace to the log. Inside a container 127.0.0.1 would be heard by nobody.
ENV APP_DATA=/data \
    APP_LISTEN=0.0.0.0:8000 \
    SWIFT_BACKTRACE=enable=yes,sanitize=yes,threads=crashed,interactive=no,color=no,swift-backtrace=/usr/local/libexec/swift-backtrace-static

LABEL org.opencontainers.image.title="Portico" \
    org.opencontainers.image.description="A web server in front of its own worker pool, for Swift sites" \
    org.opencontainers.image.base.name="docker.io/library/debian:12.11-slim"

# The only place written to; everything else may be read-only.
VOLUME /data
WORKDIR /data
USER 65532:65532
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
    CMD ["/usr/local/bin/app", "health", "--ready"]
ENTRYPOINT ["app"]
CMD ["serve"]
