"""The usual Python client: google-auth's ID token credentials as call credentials on grpcio."""

import os
import resource
import threading
import time

import grpc
from google.auth.transport.grpc import AuthMetadataPlugin
from google.auth.transport.requests import Request
from google.oauth2 import id_token
from google.protobuf.wrappers_pb2 import BytesValue


def cpu():
    """What this process has used, in seconds."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main():
    host = os.environ["PEERS_HOST"]
    request = Request()
    credentials = id_token.fetch_id_token_credentials("https://" + host, request=request)
    with open(os.environ["PEERS_CA"], "rb") as pem:
        tls = grpc.ssl_channel_credentials(pem.read())
    tokens = grpc.metadata_call_credentials(AuthMetadataPlugin(credentials, request))
    channel = grpc.secure_channel(
        os.environ["PEERS_ADDRESS"],
        grpc.composite_channel_credentials(tls, tokens),
        options=[("grpc.ssl_target_name_override", host), ("grpc.default_authority", host)],
    )
    echo = channel.unary_unary(
        "/peers.Peers/Echo",
        request_serializer=BytesValue.SerializeToString,
        response_deserializer=BytesValue.FromString,
    )

    def once():
        answer = echo(BytesValue(value=b"\7" * 100))
        assert len(answer.value) == 100, "the echo is not what was sent"

    # Token and connection are there before the clock runs.
    once()
    stop = threading.Event()
    latencies = []

    def caller():
        mine = []
        while not stop.is_set():
            begun = time.perf_counter()
            once()
            mine.append(time.perf_counter() - begun)
        latencies.extend(mine)

    callers = [threading.Thread(target=caller) for _ in range(int(os.environ["PEERS_IN_FLIGHT"]))]
    begun, before = time.perf_counter(), cpu()
    for thread in callers:
        thread.start()
    time.sleep(float(os.environ["PEERS_SECONDS"]))
    stop.set()
    for thread in callers:
        thread.join()
    took, used = time.perf_counter() - begun, cpu() - before
    latencies.sort()
    p50, p99 = (int(latencies[len(latencies) * percent // 100] * 1e6) for percent in (50, 99))
    print(f"{len(latencies)} {took:.3f} {used:.2f} {p50} {p99}")


main()
