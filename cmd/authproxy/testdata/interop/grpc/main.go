// Command grpc is the client and the server of the gRPC project's
// interoperability tests; see package peer for its command line.
package main

import (
	"context"
	"fmt"
	"log"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/interop"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"authproxy/cmd/authproxy/testdata/interop/peer"
)

func main() {
	all := map[string]peer.Case{}
	for name, do := range cases {
		all[name] = func(ctx context.Context, at string) error { return call(ctx, at, do) }
	}
	peer.Main(serve, all)
}

// serve fails calls without the good token with UNAUTHENTICATED, before
// anything else, in an answer of headers only.
func serve(l net.Listener) error {
	s := grpc.NewServer(
		grpc.UnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			if err := check(ctx); err != nil {
				return nil, err
			}
			return next(ctx, req)
		}),
		grpc.StreamInterceptor(func(srv any, s grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			if err := check(s.Context()); err != nil {
				return err
			}
			return next(srv, s)
		}),
	)
	testgrpc.RegisterTestServiceServer(s, interop.NewTestServer())
	return s.Serve(l)
}

func check(ctx context.Context) error {
	md, _ := metadata.FromIncomingContext(ctx)
	if got := md.Get("authorization"); len(got) != 1 || got[0] != peer.Good {
		return status.Error(codes.Unauthenticated, "the token is not good")
	}
	return nil
}

func call(ctx context.Context, at string, do func(context.Context, *grpc.ClientConn)) error {
	conn, err := grpc.NewClient("passthrough:///"+at, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	do(ctx, conn) // exits when something is wrong
	return nil
}

// cases are those of grpc/doc/interop-test-descriptions.md that need neither
// TLS nor a kind of credentials, and below them some of our own. Not among
// them: client_compressed_* and server_compressed_*, which the Go client does
// not have, and pick_first_unary, for which the Go server gives no name.
var cases = map[string]func(context.Context, *grpc.ClientConn){
	"empty_unary":                 theirs(interop.DoEmptyUnaryCall),
	"large_unary":                 theirs(interop.DoLargeUnaryCall),
	"client_streaming":            theirs(interop.DoClientStreaming),
	"server_streaming":            theirs(interop.DoServerStreaming),
	"ping_pong":                   theirs(interop.DoPingPong),
	"empty_stream":                theirs(interop.DoEmptyStream),
	"timeout_on_sleeping_server":  theirs(interop.DoTimeoutOnSleepingServer),
	"cancel_after_begin":          theirs(interop.DoCancelAfterBegin),
	"cancel_after_first_response": theirs(interop.DoCancelAfterFirstResponse),
	"status_code_and_message":     theirs(interop.DoStatusCodeAndMessage),
	"special_status_message":      theirs(interop.DoSpecialStatusMessage),
	"custom_metadata":             theirs(interop.DoCustomMetadata),
	"unimplemented_method":        interop.DoUnimplementedMethod,
	"unimplemented_service": func(ctx context.Context, c *grpc.ClientConn) {
		interop.DoUnimplementedService(ctx, testgrpc.NewUnimplementedServiceClient(c))
	},

	"compressed_unary":      theirs(interop.DoLargeUnaryCall, grpc.UseCompressor(gzip.Name)),
	"compressed_streaming":  theirs(interop.DoPingPong, grpc.UseCompressor(gzip.Name)),
	"five_hundred_statuses": fiveHundredStatuses,
}

func theirs(do func(context.Context, testgrpc.TestServiceClient, ...grpc.CallOption), opts ...grpc.CallOption) func(context.Context, *grpc.ClientConn) {
	return func(ctx context.Context, c *grpc.ClientConn) { do(ctx, testgrpc.NewTestServiceClient(c), opts...) }
}

// fiveHundredStatuses: no status of an error gets lost, as a ReverseProxy that
// flushes at once loses some (golang/go#56317).
func fiveHundredStatuses(ctx context.Context, c *grpc.ClientConn) {
	client := testgrpc.NewTestServiceClient(c)
	for i := range 500 {
		want := &testgrpc.EchoStatus{Code: int32(codes.DataLoss), Message: fmt.Sprint("number ", i)}
		_, err := client.UnaryCall(ctx, &testgrpc.SimpleRequest{ResponseStatus: want})
		if s := status.Convert(err); s.Code() != codes.DataLoss || s.Message() != want.Message {
			log.Fatalf("call %d: %v", i, err)
		}
	}
}
