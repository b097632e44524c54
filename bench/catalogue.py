"""A catalogue of any size: made-up books, each with a title of its own."""
import time

from instance import expect

BATCH = 20_000

KO_FIRST = ("조용한 푸른 오래된 낯선 하얀 먼 작은 깊은 느린 붉은 따뜻한 차가운 빛나는 "
            "잃어버린 숨은 마지막 첫 새로운 그리운 흔들리는 남쪽의 북쪽의 동쪽의 "
            "서쪽의 새벽의 저녁의 한낮의 한밤의 봄날의 여름의 가을의 겨울의").split()
KO_SECOND = ("바다 산 강 숲 도시 골목 정원 서재 편지 기억 여행 약속 노래 거울 시간 "
             "계절 나무 별 달 구름 비 눈 바람 불빛 다리 항구 섬 학교 시장 기차 우물 "
             "등대").split()
KO_THIRD = ("이야기 연대기 일기 수업 지도 역사 사전 안내 풍경 초상 문장 철학 과학 "
            "산책 식탁 기록 대화 질문 연습 입문 에세이 시집 소설 희곡 평전 앨범 "
            "백과 강의 독본 사색 관찰 회고").split()
EN_FIRST = ("Quiet Blue Ancient Strange White Distant Little Deep Slow Red Warm "
            "Cold Shining Lost Hidden Last First New Beloved Trembling Southern "
            "Northern Eastern Western Early Late Bright Dark Open Broken Second "
            "Common").split()
EN_SECOND = ("Sea Mountain River Forest City Lane Garden Library Letter Memory "
             "Journey Promise Song Mirror Hour Season Tree Star Moon Cloud Rain "
             "Snow Wind Lamp Bridge Harbour Island School Market Train Well "
             "Lighthouse").split()
EN_THIRD = ("Stories Chronicle Diary Lessons Atlas History Dictionary Guide "
            "Landscapes Portraits Sentences Philosophy Science Walks Table "
            "Records Dialogues Questions Exercises Primer Essays Poems Novel "
            "Play Biography Album Almanac Lectures Reader Thoughts Notes "
            "Recollections").split()
FAMILY = "김 이 박 최 정 강 조 윤 장 임 한 오 서 신 권 황".split()
GIVEN = ("서연 민준 하윤 도윤 지우 수아 예준 지호 은서 하은 건우 유진 현우 채원 "
         "태윤 다은").split()
EN_GIVEN = ("Alice Henry Clara Edwin Nora Felix Irene Hugo Judith Oscar Lydia "
            "Simon Marian Victor Ruth Walter").split()
EN_FAMILY = ("Ashby Barlow Corbett Dalton Everly Farrow Garland Harper Ingram "
             "Jarvis Keating Lowell Marlow Norris Osgood Pembroke").split()


def _pick(words, index):
    """SQL that picks one of the words by a number."""
    listed = ", ".join(f"'{word}'" for word in words)
    return f"ELT(1 + ({index}) MOD {len(words)}, {listed})"


def _insert(first, last, categories):
    # An odd factor visits each of the 2^15 titles once before any volume 2.
    t = "((seq * 7919) MOD 32768)"
    ko = (f"CONCAT({_pick(KO_FIRST, t)}, ' ', "
          f"{_pick(KO_SECOND, t + ' DIV 32')}, ' ', "
          f"{_pick(KO_THIRD, t + ' DIV 1024')}, ' ', "
          "seq DIV 32768 + 1, '권')")
    en = (f"CONCAT({_pick(EN_FIRST, t)}, ' ', "
          f"{_pick(EN_SECOND, t + ' DIV 32')} , ' ', "
          f"{_pick(EN_THIRD, t + ' DIV 1024')}, ', volume ', "
          "seq DIV 32768 + 1)")
    who_ko = f"CONCAT({_pick(FAMILY, 'seq * 31')}, {_pick(GIVEN, 'seq DIV 7')})"
    who_en = (f"CONCAT({_pick(EN_GIVEN, 'seq * 29')}, ' ', "
              f"{_pick(EN_FAMILY, 'seq DIV 5')})")
    where = _pick(categories, "(seq * 2654435761) DIV 65536")
    # Two neighbours share the words: one Korean, the other English.
    return f"""
INSERT INTO books (category_id, title, author, publisher, published_year,
    language, price, stock_quantity, created_at, updated_at)
SELECT {where}, IF(seq MOD 2, {ko}, {en}), IF(seq MOD 2, {who_ko}, {who_en}),
    NULL, 1950 + (seq * 13) MOD 75, IF(seq MOD 2, 'ko', 'en'),
    8000 + (seq * 37) MOD 421 * 100, (seq * 11) MOD 40,
    @now - INTERVAL (seq * 611) MOD 5256000 MINUTE,
    @now - INTERVAL (seq * 611) MOD 5256000 MINUTE
FROM seq_{first}_to_{last};
"""


# While it grows the private server may take more memory and need not write
# every batch to disk at once.
FAST = ("innodb_buffer_pool_size", "innodb_log_file_size",
        "innodb_flush_log_at_trx_commit")


def grow(site, wanted, say):
    """Adds made-up books until there are so many.  The triggers keep the
    categories' counts true.  Search does not know them before index().
    Gives the seconds that it took."""
    have = int(site.sql("SELECT COUNT(*) FROM books;")[0][0])
    # Each id of a leaf of the tree: there the books stand.
    categories = [row[0] for row in site.sql(
        "SELECT id FROM categories WHERE parent_id IS NOT NULL;")]
    expect(categories, "there are no categories: load the sample first "
           "(seoga migrate --sample)")
    start = time.monotonic()
    before = site.sql(f"SELECT @@{', @@'.join(FAST)};", root=True)[0]
    _set(site, (1 << 30, 512 << 20, 2))
    try:
        for first in range(have + 1, wanted + 1, BATCH):
            last = min(first + BATCH - 1, wanted)
            site.sql("SET @now = UTC_TIMESTAMP();\n"
                     + _insert(first, last, categories))
            say(f"{last} books after {time.monotonic() - start:.0f} s")
        site.sql("ANALYZE TABLE books;")
    finally:
        _set(site, before)
    return time.monotonic() - start


def index(site):
    """Makes search know all books.  Gives the seconds that it took."""
    start = time.monotonic()
    before = site.sql(f"SELECT @@{', @@'.join(FAST)};", root=True)[0]
    _set(site, (1 << 30, 512 << 20, 2))
    try:
        site.seoga("reindex")
        site.sql("ANALYZE TABLE book_search, book_grams;")
    finally:
        _set(site, before)
    return time.monotonic() - start


def _set(site, values):
    site.sql("".join(f"SET GLOBAL {name} = {value};\n"
                     for name, value in zip(FAST, values)), root=True)


def counts_are_true(site):
    """Do the categories know how many books they hold?"""
    return site.sql("""
        SELECT COUNT(*) FROM categories c WHERE book_count <>
        (SELECT COUNT(*) FROM books b WHERE b.category_id = c.id);
        """) == [["0"]]
