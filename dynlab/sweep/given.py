"""Given: an executor that the user opened; whatever has the ``submit`` of `concurrent.futures`.

A dask cluster of the user's own is mended.  dask's nannies restart workers that die, but fifteen seconds after a death
(``distributed.deploy.lost-worker-timeout``) a cluster forgets a worker that is not there at that moment: one that dies again and
again while it starts is gone, in the end all are, and the study would wait for ever.  So now and then the cluster is asked for
the workers that it was asked for before.
"""

from __future__ import annotations

import logging
import pickle
import warnings
from concurrent.futures import Executor, Future
from typing import Any

from dynlab.sweep.parcels import LIGHT, Lacking, Packing, Parcel, Shipment, compute_packed
from dynlab.sweep.task import Batch, Outcome

__all__ = ["Given"]

#: A batch should take about this long, in seconds; the way is longer than on one machine.
FAR = 0.5
#: Of an executor that does not tell how many workers it has, so many are taken for granted.
UNKNOWN = 64

_log = logging.getLogger("dynlab.sweep")


class Given:
    """An executor that the user opened, and will close."""

    seconds = FAR

    def __init__(
        self, executor: Executor, packing: Packing, workers: int, cluster: Any = None
    ) -> None:
        self.workers = workers
        self._executor, self._packing, self._cluster = executor, packing, cluster
        self._handed: dict[Future[Any], Shipment] = {}
        self._sent: dict[str, int] = {}
        self._had = self._lacked = 0

    @classmethod
    def of(cls, executor: Any, packing: Packing) -> Given:
        """Return the pool of an executor, or of a client of ``dask.distributed``."""
        if hasattr(executor, "get_executor"):
            return cls(executor.get_executor(), packing, _cores_of(executor), executor.cluster)
        client: Any = getattr(executor, "_client", None)
        if hasattr(client, "ncores"):
            return cls(executor, packing, _cores_of(client), client.cluster)
        # Private, but there in all executors of the standard library and of mpi4py.
        return cls(executor, packing, getattr(executor, "_max_workers", None) or UNKNOWN)

    def submit(self, batch: Batch) -> Future[Any]:
        """Hand out a batch, with the parcels that its worker may lack."""
        shipment = self._packing.shipment(batch)
        along = [p for p in self._packing.parcels(shipment.needs) if self._goes_along(p)]
        return self._send(shipment.along_with(along))

    def _goes_along(self, parcel: Parcel) -> bool:
        """Whether a parcel is light, not everywhere yet, or lacked as a rule, as where each batch has a process of its own."""
        if len(parcel.content) <= LIGHT or self._lacked > self._had + 2 * self.workers:
            return True
        return self._sent.get(parcel.key, 0) < self.workers

    def _send(self, shipment: Shipment) -> Future[Any]:
        for parcel in shipment.parcels:
            self._sent[parcel.key] = self._sent.get(parcel.key, 0) + 1
        with warnings.catch_warnings():
            # What dask advises instead is lost with the worker that holds it.
            warnings.filterwarnings("ignore", "Sending large graph")
            future = self._executor.submit(compute_packed, shipment)
        self._handed[future] = shipment
        return future

    def outcome(self, future: Future[Any]) -> Outcome | Future[Any]:
        """Return what came of a batch; if its worker lacked something, send it again with that."""
        shipment = self._handed.pop(future)
        answer: Outcome | Lacking = pickle.loads(future.result())
        if not isinstance(answer, Lacking):
            self._had += not shipment.parcels
            return answer
        self._lacked += 1
        return self._send(shipment.along_with(self._packing.parcels(shipment.needs)))

    def expect(self, seconds: float) -> None:
        """Take no notice."""

    def mend(self) -> None:
        """Let a cluster of dask start the workers that it has forgotten."""
        plan, requested = (getattr(self._cluster, n, None) for n in ("plan", "requested"))
        if isinstance(plan, set) and isinstance(requested, set) and plan - requested:
            _log.warning(
                "%d workers of the cluster were gone and are started again", len(plan - requested)
            )
            self._cluster.scale(len(plan))

    def close(self) -> None:
        """Take back what is not under way."""
        for future in self._handed:
            future.cancel()


def _cores_of(client: Any) -> int:
    return sum(client.ncores().values()) or UNKNOWN
