// The usual Go client: an idtoken token source as per-RPC credentials on grpc-go.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log"
	"os"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/api/idtoken"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/oauth"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// cpu is what this process has used, in seconds.
func cpu() float64 {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

func main() {
	ctx := context.Background()
	host := os.Getenv("PEERS_HOST")
	pem, err := os.ReadFile(os.Getenv("PEERS_CA"))
	check(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	source, err := idtoken.NewTokenSource(ctx, "https://"+host)
	check(err)
	conn, err := grpc.NewClient(
		"passthrough:///"+os.Getenv("PEERS_ADDRESS"),
		grpc.WithAuthority(host),
		grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: roots, ServerName: host})),
		grpc.WithPerRPCCredentials(oauth.TokenSource{TokenSource: source}),
	)
	check(err)
	once := func() {
		answer := new(wrapperspb.BytesValue)
		check(conn.Invoke(ctx, "/peers.Peers/Echo", wrapperspb.Bytes(make([]byte, 100)), answer))
		if len(answer.Value) != 100 {
			log.Fatal("the echo is not what was sent")
		}
	}
	// Token and connection are there before the clock runs.
	once()
	inFlight, err := strconv.Atoi(os.Getenv("PEERS_IN_FLIGHT"))
	check(err)
	seconds, err := strconv.ParseFloat(os.Getenv("PEERS_SECONDS"), 64)
	check(err)
	var stop atomic.Bool
	var wait sync.WaitGroup
	latencies := make([][]time.Duration, inFlight)
	begun, before := time.Now(), cpu()
	for caller := range inFlight {
		wait.Go(func() {
			for !stop.Load() {
				begun := time.Now()
				once()
				latencies[caller] = append(latencies[caller], time.Since(begun))
			}
		})
	}
	time.Sleep(time.Duration(seconds * float64(time.Second)))
	stop.Store(true)
	wait.Wait()
	took, used := time.Since(begun).Seconds(), cpu()-before
	var all []time.Duration
	for _, some := range latencies {
		all = append(all, some...)
	}
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	at := func(percent int) int64 { return all[len(all)*percent/100].Microseconds() }
	fmt.Printf("%d %.3f %.2f %d %d\n", len(all), took, used, at(50), at(99))
}
