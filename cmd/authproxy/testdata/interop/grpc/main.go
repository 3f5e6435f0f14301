// Command grpc is the client and the server of the gRPC project's
// interoperability tests, for the tests of cmd/authproxy. As in the project's
// own programs, one run of the client is one case, and its exit code the verdict.
//
//	grpc server          listens, prints its address, and serves until its standard input ends
//	grpc client ADDRESS CASE
//	grpc cases           lists the cases
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/interop"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

func main() {
	log.SetFlags(0)
	switch args := os.Args[1:]; {
	case len(args) == 1 && args[0] == "server":
		serve()
	case len(args) == 1 && args[0] == "cases":
		fmt.Println(strings.Join(slices.Sorted(maps.Keys(cases)), "\n"))
	case len(args) == 3 && args[0] == "client" && cases[args[2]] != nil:
		call(args[1], cases[args[2]])
	default:
		log.Fatalf("usage: grpc server | client ADDRESS CASE | cases: %q", args)
	}
}

// good is the only token that is taken: with any other, calls fail with
// UNAUTHENTICATED before anything else, in an answer of headers only.
const good = "Bearer t2"

func serve() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
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
	fmt.Println(l.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		s.Stop()
	}()
	if err := s.Serve(l); err != nil {
		log.Fatal(err)
	}
}

func check(ctx context.Context) error {
	md, _ := metadata.FromIncomingContext(ctx)
	if got := md.Get("authorization"); len(got) != 1 || got[0] != good {
		return status.Error(codes.Unauthenticated, "the token is not good")
	}
	return nil
}

func call(address string, do func(context.Context, *grpc.ClientConn)) {
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	do(ctx, conn)
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
