"""What readers do in the benches: one case a row, on a site with a member who
is signed in and has a cart, and buyers who add to theirs.

Shared by bench/run and bench/overhead.
"""
import json

from instance import Reader, expect
from measure import measure, sign_up, wrk

CART_LINES = 5
MEMBER = "bench"
# A cart takes 99 copies of a book and 100 books; add-to-cart spreads over
# this many members for each second, so that no cart gets full.
BUYERS_PER_SECOND = 4


class Case:
    """One row: what is asked for, by whom, and what must come back."""

    def __init__(self, name, path, *, headers=None, holds=(), status=200,
                 post=None):
        self.name, self.path, self.status = name, path, status
        self.headers, self.holds, self.post = headers or {}, holds, post


def cases(member, book):
    page, api = member.page_headers(), member.api_headers()
    signed_in = ('href="/account"', f"<b>{CART_LINES}</b>")
    return [
        Case("list HTML", "/books", headers=page, holds=signed_in),
        Case("book HTML", f"/books/{book}", headers=page, holds=signed_in),
        Case("cart HTML", "/cart", headers=page, holds=signed_in),
        Case("list JSON", "/api/books/books", holds=('"next":"',)),
        Case("book JSON", f"/api/books/books/{book}",
             holds=(f'"id":{book},',)),
        Case("cart JSON", "/api/cart/cart", headers=api,
             holds=(f'"count":{CART_LINES},',)),
        Case("add-to-cart", "/api/cart/cart/add", post="api"),
        Case("add-to-cart form", "/cart/add", post="form", status=303),
    ]


def books_for_sale(reader):
    status, text = reader.ask("GET", "/api/books/books?limit=100")
    expect(status == 200, f"the list gave {status}")
    return [book["id"] for book in json.loads(text)["books"]
            if book["stock_quantity"] > 0]


def fill_cart(reader, books):
    reader.api("POST", "/api/cart/cart/clear")
    for book in books:
        status, text = reader.api("POST", "/api/cart/cart/add",
                                  f'{{"book_id":{book},"quantity":1}}')
        expect(status == 200, f"filling the cart gave {status}: {text}")


def write_readers(site, case, readers, books):
    path = site.folder / "readers"
    lines = [f"{case.post} {case.path}", " ".join(map(str, books))]
    lines += [f"{r.cookie} {r.csrf} {r.token}" for r in readers]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return path


class Scene:
    """A site that is ready to be measured, row by row, so many seconds each."""

    def __init__(self, site, seconds):
        self.site, self.port, self.seconds = site, site.port, seconds
        self.member, *self.buyers = sign_up(site, self.port, [MEMBER] + [
            f"buyer{n}" for n in range(max(8, BUYERS_PER_SECOND * seconds))])
        self.books = books_for_sale(self.member)
        fill_cart(self.member, self.books[:CART_LINES])
        self.member.get("/books")       # takes the greeting away
        self.cases = cases(self.member, self.books[0])

    def measure(self, case, connections):
        """wrk over one case with so many connections."""
        readers = self._readers(case) if case.post else None
        self._check(case)
        self._wrk(case, connections, 1, readers)
        row = measure(self.site, case.name, case.status, connections,
                      lambda: self._wrk(case, connections, self.seconds,
                                        readers))
        self._check(case)
        return row

    def _readers(self, case):
        for buyer in self.buyers:
            fill_cart(buyer, [])
        return write_readers(self.site, case, self.buyers, self.books)

    def _check(self, case):
        """Before and after: is it the page that we think it is?"""
        if case.post:
            return
        status, text = self.member.ask("GET", case.path, None, case.headers)
        expect(status == case.status, f"{case.path} gave {status}")
        for part in case.holds:
            expect(part in text, f"{case.path} lacks {part}")

    def _wrk(self, case, connections, seconds, readers):
        return wrk(f"http://127.0.0.1:{self.port}{case.path}",
                   connections, seconds, headers=case.headers,
                   env={"BENCH_READERS": str(readers)} if readers else {})
