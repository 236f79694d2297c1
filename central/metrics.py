"""Prometheus metrics of one worker, on loopback: how much came, how it was judged, how long the ledger took."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

LOOPBACK = "127.0.0.1"
SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class Metrics:
    """The numbers of one worker; no terminal is named in them."""

    def __init__(self) -> None:
        self.collectors = collectors = CollectorRegistry()
        self.results = Counter(
            "likeness_results", "Envelopes taken into custody or known already", ["verdict"], registry=collectors
        )
        self.refused = Counter(
            "likeness_refused", "Messages that could not be verified", ["leaf", "reason"], registry=collectors
        )
        self.alarms = Counter("likeness_alarms", "Alarms raised", ["rule"], registry=collectors)
        self.batch_seconds = Histogram(
            "likeness_batch_seconds", "From a verified batch to its receipts", buckets=SECONDS, registry=collectors
        )
        self.batch_results = Histogram(
            "likeness_batch_results",
            "Results in a batch",
            buckets=(1, 5, 20, 50, 100, 200, 500, 1000),
            registry=collectors,
        )
        self.terminals = Gauge("likeness_terminals_online", "Terminals on the line", registry=collectors)
        self.gaps = Gauge("likeness_gaps", "Open gaps in the chains", registry=collectors)

    def serve(self, port: int) -> Served:
        """Serves them on loopback until closed; raises OSError."""
        return Served(self, port)


class Served:
    """The HTTP server of the metrics."""

    def __init__(self, metrics: Metrics, port: int) -> None:
        self._server, self._thread = start_http_server(port, LOOPBACK, metrics.collectors)
        self.port = self._server.server_port

    def close(self) -> None:
        """Ends the server."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
