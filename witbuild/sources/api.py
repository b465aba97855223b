"""APIs of image collections, asked for each query of a list: CLIP's own way to its pairs.

query list ── hash of the query ── tasks ── a task's queries in the order of their hashes
                                            ├ answers, page after page, to `per_query` images
                                            └ every text of an image is a candidate

The order is a fair draw from the list: a limit that ends the work early does not favour the list's head.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from witbuild.errors import InputError, PolicyError, RecipeError
from witbuild.sources.base import Source
from witbuild.sources.candidates import Candidates
from witbuild.sources.draw import drawn
from witbuild.stage import Task
from witbuild.web import urls
from witbuild.web.asking import RefusedError
from witbuild.web.settings import Settings, check_user_agent

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from witbuild.sources.answers import Answers
    from witbuild.sources.found import Found
    from witbuild.web.asking import Asker, Busy
    from witbuild.web.client import Client
    from witbuild.web.wire import Head

Question = Mapping[str, str]
"""What is asked: the parameters that tell it from other questions."""

QUERIES_A_TASK = 1_000
PAIRS_A_TASK = 1_000
"""Below so many pairs of the limit, a further task would only ask more queries for fewer pairs each."""
TRIAL_QUESTIONS = 5
"""So many bad answers and no good one mean that the address is not that of such an API."""


@dataclass(frozen=True, kw_only=True)
class Api(Source):
    """An API that is asked for queries; `inputs` is its address, when it is not the usual one.

    Attributes:
        per_query: most images of a query.
        user_agent: with a contact.
        delay_seconds: from request to request in each of the places of the machine.
        timeout_seconds: of a request.
        resolve: host -> `address:port`.
        allow_private: ask private addresses too.
    """

    kind: ClassVar[str]
    api: ClassVar[str]
    """Its usual address."""
    places: ClassVar[int]
    """Requests at once that its terms allow, of one machine."""
    token: ClassVar[str]
    """Environment variable with a token, which raises the limits of most APIs."""

    per_query: int
    user_agent: str
    delay_seconds: float
    timeout_seconds: float
    resolve: Mapping[str, str] = field(default_factory=dict)
    allow_private: bool

    @property
    def address(self) -> str:
        """Where the API is."""
        if len(self.inputs) > 1:
            raise RecipeError(f"inputs: found {len(self.inputs)} of them, expected the address of one API, or none")
        found = urls.parse(self.inputs[0] if self.inputs else self.api)
        if found is None:
            raise RecipeError(f"inputs: found {self.inputs[0]!r}, expected the http or https address of an API")
        return found.href

    def check(self) -> None:
        """Raise an error when the parameters do not go with the API or its terms."""
        check_user_agent(self.user_agent)

    def plan(self) -> Iterator[Task]:
        """Yield nothing: there is no work without queries."""
        raise RecipeError(
            f"source {self.kind} reads queries: name a list with --queries PATH (`inputs: {{queries: PATH}}`)"
        )

    def plan_over(self, queries: tuple[str, ...]) -> Iterator[Task]:
        """Yield a task for each slice of the query list."""
        from witbuild.io import tables

        if not queries:
            yield from self.plan()
        self.check()
        rows = sum(tables.Footer(path).rows for path in queries)
        slices = self.shards or self._slices(rows)
        for index in range(slices):
            arguments = {"slice": index, "slices": slices, **self.share(index, slices)}
            yield Task(index, {"queries": queries, "input": (self.address,)}, arguments)

    def _slices(self, rows: int) -> int:
        most = -(-self.limit // PAIRS_A_TASK) if self.limit else rows
        return max(1, min(-(-rows // QUERIES_A_TASK), most))

    def harvest(self, task: Task) -> Candidates:
        """Ask the task's queries until they or its share of the limit are used up."""
        from witbuild.web.loop import run

        return run(self._harvest(task))

    async def _harvest(self, task: Task) -> Candidates:
        from witbuild.sources.answers import Answers

        out = Candidates(self.kind, task.arguments.get("limit"))
        with Answers(Path(task.scratch) / "answers" if task.scratch else None) as answers:
            async with self._client() as client:
                await self._ask_all(self.asker(client, answers), self.questions(task), out)
        return out

    def _client(self) -> Client:
        """Return a client that neither waits nor tries again by itself: the asker does, for all processes together.

        robots.txt speaks to crawlers of pages and forbids APIs to them; what an API lets programs do is in its terms.
        """
        from witbuild.web.client import Client

        settings = Settings(
            user_agent=self.user_agent,
            timeout_seconds=self.timeout_seconds,
            resolve=self.resolve,
            allow_private=self.allow_private,
            robots=False,
            retries=0,
            backoff_seconds=0.0,
            give_up_after=0,
            max_redirects=0,
            per_host=1,
        )
        return Client(settings)

    def asker(self, client: Client, answers: Answers) -> Asker:
        """Return what asks the API."""
        from witbuild.web.asking import Asker
        from witbuild.web.turnstile import Turnstile

        turnstile = Turnstile(urls.host(self.address), places=self.places, delay_seconds=self.delay_seconds)
        return Asker(
            client=client,
            turnstile=turnstile,
            kept=answers,
            judge=self.judge,
            spent=self.spent,
            headers=self._headers(),
        )

    def _headers(self) -> dict[str, str]:
        token = os.environ.get(self.token, "").strip()
        if token and not self.address.startswith("https://") and not self.allow_private:
            raise PolicyError(f"{self.address}: a token is not sent without https; unset {self.token}, or use https")
        return {"Authorization": f"Bearer {token}"} if token else {}

    def judge(self, answer: dict[str, Any], head: Head) -> Busy | None:
        """Say whether an answer means that the API is busy; RefusedError or PolicyError when it says no."""
        return None

    def spent(self, head: Head) -> Busy | None:
        """Say whether a good answer was the last for now."""
        return None

    def questions(self, task: Task) -> Iterator[Question]:
        """Yield the task's questions in their order."""
        argument = task.arguments
        for query in drawn(task.sources["queries"], argument["slice"], argument["slices"]):
            yield self.question(query)

    @abstractmethod
    def question(self, query: str) -> Question:
        """Return the parameters that ask for a query."""

    @abstractmethod
    def images(self, asker: Asker, question: Question) -> AsyncGenerator[Found | str]:
        """Yield the images of a question's answers in order, or the reason why one is none.

        Raises:
            RefusedError: there is no answer, or the rest of it cannot be had.
        """

    def most(self, question: Question) -> int | None:
        """Return how many results of a question are looked at; None: all."""
        return self.per_query

    async def _ask_all(self, asker: Asker, questions: Iterator[Question], out: Candidates) -> None:
        answered = failed = 0
        for question in questions:
            if out.full:
                return
            try:
                await self._ask(asker, question, out)
                answered += 1
            except RefusedError as error:
                out.drop(error.reason)
                failed += error.reason == "bad_answer"
            if failed == TRIAL_QUESTIONS and not answered:
                raise InputError(f"{self.address}: answers nothing that is JSON; expected the address of such an API")

    async def _ask(self, asker: Asker, question: Question, out: Candidates) -> None:
        seen, most = 0, self.most(question)
        async with aclosing(self.images(asker, question)) as images:
            async for image in images:
                seen += 1
                if isinstance(image, str):
                    out.drop(image)
                else:
                    image.add_to(out)
                if out.full or seen == most:
                    break
        if not seen:
            out.drop("no_result")
