# The program alone, static, in an image that is otherwise empty: docs/deploying.md.
FROM rust:1-bookworm AS build
# musl-gcc compiles the parts in C: SQLite, ring and mimalloc.
RUN apt-get update && apt-get install --yes --no-install-recommends musl-tools
WORKDIR /src
COPY . .
RUN cargo xtask package --dist
RUN target=$(uname -m)-unknown-linux-musl \
    && rustup target add "$target" \
    && cargo build --locked --profile dist --package callerid-server --target "$target" \
    && mkdir -p /image/data \
    && mv "target/$target/dist/callerid" /image/

FROM scratch AS server
COPY --from=build /image/callerid /callerid
COPY --from=build --chown=65534:65534 /image/data /data
USER 65534:65534
ENV CALLERID_LISTEN=0.0.0.0:8008 CALLERID_DATA=/data
VOLUME /data
EXPOSE 8008
HEALTHCHECK --interval=5s --timeout=10s --start-period=2s CMD ["/callerid", "ready"]
ENTRYPOINT ["/callerid"]
CMD ["serve"]

# For tests: docker build --target test
FROM server AS test
CMD ["serve", "--test", "--ephemeral"]

FROM server
