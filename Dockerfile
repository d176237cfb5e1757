# syntax=docker/dockerfile:1
# The command `tombolo` on Debian: `docker build -t tombolo .`, then
# `docker run --rm --init -v "$PWD:/app" tombolo app.mjs`. (With `--init`, Ctrl-C ends a program that listens for no
# signals: the system ignores signals of a container's first process that it has no handler for.)

FROM rust:1.95.0-slim-trixie AS build
# The compiler that the image has. Otherwise rustup gets what else rust-toolchain.toml names: a linter and a formatter.
ENV RUSTUP_TOOLCHAIN=1.95.0
WORKDIR /src
COPY . .
# What was downloaded and compiled stays for the next build. The image has a C compiler, which QuickJS and Zstandard need.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    set -eu; \
    cargo build --release --locked -p tombolo-cli; \
    cargo build --release --locked -p xtask; \
    target/release/xtask dist /tmp/dist; \
    mkdir -p /out/usr/local; \
    tar -xzf /tmp/dist/tombolo-*.tar.gz -C /out/usr/local --strip-components=1

FROM debian:trixie-slim
LABEL org.opencontainers.image.title="Tombolo" \
      org.opencontainers.image.licenses="Apache-2.0 OR MIT"
COPY --from=build /out/ /
# A volume belongs to whoever its folder belongs to. Compiled code that somebody else could write to would not be run, so
# the folder has to be the user's.
RUN useradd --create-home --uid 1000 tombolo \
    && install -d -o tombolo -g tombolo /app \
    && install -d -o tombolo -g tombolo -m 700 /home/tombolo/.cache /home/tombolo/.cache/tombolo
USER tombolo
WORKDIR /app
# Compiled WebAssembly is kept here; a volume with a name keeps it from one container to the next.
VOLUME /home/tombolo/.cache/tombolo
ENTRYPOINT ["tombolo"]
