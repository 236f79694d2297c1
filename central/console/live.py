"""Live: tells open pages, by server-sent events, that they may look otherwise by now."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from central.console.visit import Visit

LOOK_S = 0.5
CHECK_S = 15.0
"""How often a stream asks whether its sign-in still counts; also a sign of life for proxies."""


def live(visit: Visit) -> Response:
    """A stream of versions."""
    return StreamingResponse(
        _versions(visit), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )  # nginx would keep it back


async def _versions(visit: Visit) -> AsyncIterator[str]:
    watch, token = visit.house.watch, visit.sign_in.token if visit.sign_in else ""
    told, next_check = watch.version, anyio.current_time() + CHECK_S
    yield f"retry: 5000\nid: {told}\nevent: hello\ndata: {told}\n\n"
    while not watch.stopping:
        await anyio.sleep(LOOK_S)
        if watch.version != told:
            told = watch.version
            yield f"id: {told}\ndata: {told}\n\n"
        if anyio.current_time() >= next_check:
            next_check += CHECK_S
            if await run_in_threadpool(visit.house.sign_ins.find, token, touch=False) is None:
                return
            yield ": here\n\n"
