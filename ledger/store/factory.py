"""The infrastructure factory of the library, all but the choice of the database."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, NoReturn

from eventsourcing.persistence import (
    InfrastructureFactory,
    Mapper,
    Transcoder,
    TTrackingRecorder,
)
from eventsourcing.utils import Environment, EnvType

from ledger.store.mapper import FactMapper
from ledger.store.merge import WAITING_MAX
from ledger.store.recorder import LogRecorder
from ledger.store.snapshots import SnapshotRecorder


class StoreFactory(InfrastructureFactory[TTrackingRecorder]):
    """One recorder per factory; ``STORE_WAITING_MAX`` bounds the calls waiting for its log."""

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        waiting_max = int(self.env.get("STORE_WAITING_MAX") or WAITING_MAX)
        self.recorder = self._recorder(waiting_max)

    def application_recorder(self) -> LogRecorder[Any]:
        """The log."""
        return self.recorder

    def aggregate_recorder(self, purpose: str = "events") -> SnapshotRecorder:
        """The snapshots; there is no other aggregate recorder."""
        if purpose != "snapshots":
            raise NotImplementedError(f"no aggregate recorder for {purpose!r}")
        return SnapshotRecorder(self.recorder)

    def mapper(
        self, transcoder: Transcoder | None = None, mapper_class: type[Mapper[Any]] | None = None
    ) -> Mapper[Any]:
        """FactMapper, unless another class is given."""
        return super().mapper(transcoder, mapper_class or FactMapper)

    def tracking_recorder(self, tracking_recorder_class: object = None) -> NoReturn:
        """Not offered: a projection keeps its position in its own store."""
        raise NotImplementedError("a projection keeps its position in its own store")

    def process_recorder(self) -> NoReturn:
        """Not offered, as above."""
        raise NotImplementedError("a projection keeps its position in its own store")

    def __exit__(self, *exception: Any) -> None:
        super().__exit__(*exception)
        self.close()

    def close(self) -> None:
        """Closes the recorder, and with it the snapshots."""
        self.recorder.close()

    @abstractmethod
    def _recorder(self, waiting_max: int) -> LogRecorder[Any]: ...
