"""Answers the browser's requests. Only who came with the token gets in; only our forms change anything."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import quote, unquote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from grader.errors import UsageError
from grader.review.desk import ReviewDesk, next_open, parsed_points
from grader.review.items import Item
from grader.review.pages import Reader, content_policy, item_page, message_page, overview_page

TOKEN, WHO, NAMES = "grader-review", "grader-review-who", "grader-review-names"
_MOST_COMMENT = 2000
Next = Callable[[Request], Awaitable[Response]]


def review_app(desk: ReviewDesk, token: str, hosts: Sequence[str]) -> Starlette:
    """The desk as a web application: for browsers that have the token, under one of the names in `hosts`."""
    pages = _Pages(desk, token)

    async def guard(request: Request, call_next: Next) -> Response:
        refused = _refusal(request, token, hosts)
        response = refused or await call_next(request)
        response.headers.setdefault("Content-Security-Policy", content_policy())
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return response

    return Starlette(
        routes=[
            Route("/", pages.overview),
            Route("/who", pages.introduce, methods=["POST"]),
            Route("/question/{criterion}", pages.question),
            Route("/student/{key}", pages.student),
            Route("/report/{key}", pages.report),
            Route("/names", pages.names, methods=["POST"]),
            Route("/decide", pages.decide, methods=["POST"]),
            Route("/group", pages.group, methods=["POST"]),
            Route("/undo", pages.undo, methods=["POST"]),
        ],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=guard)],
    )


def _refusal(request: Request, token: str, hosts: Sequence[str]) -> Response | None:
    """What a stranger gets, None for who may come in."""
    if request.headers.get("host", "") not in hosts:  # another site's name that was bent to this machine
        return HTMLResponse(message_page("Not here", "This page answers only on this machine."), 421)
    given = request.query_params.get("token")
    if given is not None and _is_same(given, token):
        entered = RedirectResponse(request.url.path, 303)
        entered.set_cookie(TOKEN, token, httponly=True, samesite="strict")
        return entered
    if not _is_same(request.cookies.get(TOKEN, ""), token):
        sentence = "Open the address that the terminal shows: it holds the key to this page."
        return HTMLResponse(message_page("Who is there?", sentence), 403)
    return None


def _is_same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


class _Pages:
    """One method per address. What reads or writes the course runs beside the event loop."""

    def __init__(self, desk: ReviewDesk, token: str) -> None:
        self._desk = desk
        self._csrf = hmac.new(token.encode(), b"forms", "sha256").hexdigest()

    async def overview(self, request: Request) -> Response:
        """All that waits, or the question who is there."""
        who = _who(request)
        if not who:
            sentence = "Every decision is signed: who are you?"
            return HTMLResponse(message_page("Welcome", sentence, form="who", csrf=self._csrf))
        page = await run_in_threadpool(overview_page, self._desk, self._reader(request))
        return HTMLResponse(page)

    async def introduce(self, request: Request) -> Response:
        """Remember who sits here."""
        form = await request.form()
        who = _text(form, "who").strip()[:80]
        if not self._is_ours(form) or not who:
            return RedirectResponse("/", 303)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(WHO, quote(who), httponly=True, samesite="strict")
        return answer

    async def names(self, request: Request) -> Response:
        """Show names beside the numbers from now on, or no longer."""
        form = await request.form()
        answer = RedirectResponse("/", 303)
        if self._is_ours(form):
            answer.set_cookie(NAMES, _text(form, "names"), httponly=True, samesite="strict")
        return answer

    async def question(self, request: Request) -> Response:
        """One item of a question: the one asked for, or the first that waits."""
        items = await run_in_threadpool(self._desk.by_question, request.path_params["criterion"])
        at = request.query_params.get("at")
        return await self._show(request, "question", items, lambda item: item.key == at)

    async def student(self, request: Request) -> Response:
        """One item of a student: the one asked for, or the first that waits."""
        items = await run_in_threadpool(self._desk.by_student, request.path_params["key"])
        at = request.query_params.get("at")
        return await self._show(request, "student", items, lambda item: item.criterion.id == at)

    async def report(self, request: Request) -> Response:
        """A student's report, as it lies on disk, under its own policy."""
        page = await run_in_threadpool(self._desk.report, request.path_params["key"])
        if page is None:
            return _gone()
        policy = "sandbox allow-same-origin; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        return HTMLResponse(page.read_bytes(), headers={"Content-Security-Policy": policy})

    async def decide(self, request: Request) -> Response:
        """Write a decision down and go on to the next item; nothing is written where somebody was faster."""
        form = await request.form()
        way, items, item = await run_in_threadpool(self._item_of, form)
        who = _who(request)
        if item is None or not who or not self._is_ours(form):
            return _gone()
        comment = _text(form, "comment").strip()[:_MOST_COMMENT]
        asked = _text(form, "give") or _text(form, "points")
        points = parsed_points(asked, item.criterion.points)
        if points is None:
            told = f"“{asked[:20]}” is no number from 0 to {item.criterion.points}: nothing was decided."
            return await self._again(request, way, items, item, told, (asked[:20], comment), 422)
        seen = _text(form, "seen")
        if not await run_in_threadpool(self._desk.decide, item, points, comment, who=who, seen=seen):
            way, items, item = await run_in_threadpool(self._item_of, form)
            assert item is not None
            told = "Somebody else decided meanwhile, and yours was not written: look at theirs first."
            return await self._again(request, way, items, item, told, (str(points), comment), 409)
        following = next_open(await run_in_threadpool(self._items, way, item), item)
        address = f"{_address(way, following)}&" if following is not None else "/?"
        return RedirectResponse(f"{address}done={quote(self._desk.draft(item), safe='')}", 303)

    async def group(self, request: Request) -> Response:
        """Write down whether the hand-ins of a group in doubt are graded together."""
        form = await request.form()
        who = _who(request)
        if not who or not self._is_ours(form):
            return _gone()
        hand_in, why = _text(form, "hand_in"), _text(form, "why").strip()[:_MOST_COMMENT]
        is_together = _text(form, "so") == "together"
        try:
            await run_in_threadpool(self._desk.decide_group, hand_in, is_together, who=who, why=why)
        except UsageError as error:
            return HTMLResponse(message_page("Not decided", str(error)), 422)
        return RedirectResponse("/#groups", 303)

    async def undo(self, request: Request) -> Response:
        """Take the own last decision on an item back and show it again."""
        form = await request.form()
        way, _, item = await run_in_threadpool(self._item_of, form)
        who = _who(request)
        if item is None or not who or not self._is_ours(form):
            return _gone()
        await run_in_threadpool(self._desk.take_back, item, who=who)
        return RedirectResponse(_address(way, item), 303)

    async def _show(
        self, request: Request, way: str, items: list[Item], is_asked: Callable[[Item], bool]
    ) -> Response:
        if not _who(request):
            return RedirectResponse("/", 303)
        item = next(filter(is_asked, items), None) or next_open(items) or (items[0] if items else None)
        if item is None:
            return _gone()
        return await self._again(request, way, items, item, "", ("", ""), 200)

    async def _again(
        self,
        request: Request,
        way: str,
        items: Sequence[Item],
        item: Item,
        told: str,
        draft: tuple[str, str],
        status: int,
    ) -> Response:
        page = await run_in_threadpool(
            item_page, self._desk, way, items, item, self._reader(request), told=told, draft=draft
        )
        return HTMLResponse(page, status)

    def _item_of(self, form: FormData) -> tuple[str, list[Item], Item | None]:
        """The way and the item that a form speaks of, with all items of that way."""
        way = "student" if _text(form, "way") == "student" else "question"
        key, criterion = _text(form, "key"), _text(form, "criterion")
        items = self._desk.by_student(key) if way == "student" else self._desk.by_question(criterion)
        return way, items, next((item for item in items if item.place == (key, criterion)), None)

    def _items(self, way: str, item: Item) -> list[Item]:
        desk = self._desk
        return desk.by_student(item.key) if way == "student" else desk.by_question(item.criterion.id)

    def _reader(self, request: Request) -> Reader:
        asked = request.cookies.get(NAMES, "") == "shown"
        return Reader(who=_who(request), csrf=self._csrf, sees_names=asked)

    def _is_ours(self, form: FormData) -> bool:
        return _is_same(_text(form, "csrf"), self._csrf)


def _who(request: Request) -> str:
    return unquote(request.cookies.get(WHO, "")).strip()


def _text(form: FormData, field: str) -> str:
    value = form.get(field)
    return value if isinstance(value, str) else ""


def _address(way: str, item: Item) -> str:
    name, at = (item.criterion.id, item.key) if way == "question" else (item.key, item.criterion.id)
    return f"/{way}/{quote(name, safe='')}?at={quote(at, safe='')}"


def _gone() -> Response:
    sentence = "There is nothing here, or it does not wait for a person any more."
    return HTMLResponse(message_page("Not found", sentence), 404)
