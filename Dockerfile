# authproxy in an image of its own: one static binary, the certificate authorities, and nothing else.
#
#   docker build --build-arg VERSION=1.2.3 -t authproxy .
#
# Needs BuildKit, for the cache mounts.
#
# GO_IMAGE is the Go that go.mod asks for, and is meant to be given by digest where builds have to be the
# same each time; `docker buildx imagetools inspect golang:1.26.11` prints it:
#
#   docker build --build-arg GO_IMAGE=golang:1.26.11@sha256:... -t authproxy .
ARG GO_IMAGE=golang:1.26.11

FROM --platform=$BUILDPLATFORM ${GO_IMAGE} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG VERSION=devel
ARG TARGETOS
ARG TARGETARCH
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=${VERSION}" -o /out/authproxy ./cmd/authproxy

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/authproxy /authproxy

# A number, so that Kubernetes can see that it is not root. Secret files must be readable by it.
USER 65532:65532

# Asks http://127.0.0.1:9090/readyz, the default of admin.listen. With another one:
#   CMD ["/authproxy", "healthcheck", "-c", "/etc/authproxy/authproxy.yaml"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s --retries=3 CMD ["/authproxy", "healthcheck"]

# The default listener is 127.0.0.1:8080 inside the container: share its network namespace with the
# application (see deploy/compose.yaml) rather than publishing the port.
ENTRYPOINT ["/authproxy"]
CMD ["serve", "-c", "/etc/authproxy/authproxy.yaml"]
