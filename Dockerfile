# The command `tombolo` on Debian: `docker build -t tombolo .`, then
# `docker run --rm -v "$PWD:/app" tombolo app.mjs`.

FROM rust:1.95-slim-trixie AS build
# QuickJS is C, and clang is asked for its declarations where there are none for the machine.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev make \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# What was compiled stays for the next build.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked -p tombolo-cli \
    && install -D --strip target/release/tombolo /out/usr/local/bin/tombolo \
    && for shell in bash zsh fish; do \
         case $shell in \
           bash) to=/out/usr/local/share/bash-completion/completions/tombolo ;; \
           zsh) to=/out/usr/local/share/zsh/site-functions/_tombolo ;; \
           fish) to=/out/usr/local/share/fish/vendor_completions.d/tombolo.fish ;; \
         esac; \
         mkdir -p "$(dirname "$to")" && target/release/tombolo completions "$shell" > "$to"; \
       done \
    && mkdir -p /out/usr/local/share/man/man1 /out/usr/local/share/doc/tombolo \
    && target/release/tombolo completions man --to /out/usr/local/share/man/man1 \
    && cp LICENSE-APACHE LICENSE-MIT README.md /out/usr/local/share/doc/tombolo/

FROM debian:trixie-slim
# `fetch` trusts the authorities that the image trusts.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 tombolo \
    && mkdir /app && chown tombolo:tombolo /app
COPY --from=build /out/ /
USER tombolo
WORKDIR /app
# Compiled WebAssembly is kept here; a volume keeps it from one container to the next.
VOLUME /home/tombolo/.cache/tombolo
ENTRYPOINT ["tombolo"]
