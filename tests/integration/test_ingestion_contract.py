"""The front end held to PostgREST's behaviour: what a public client of PostgREST asks, and what it is answered."""

from collections.abc import Callable, Iterator

import httpx
import pytest
from fronts import front
from postgres import fresh_database
from postgrest import SyncPostgrestClient
from postgrest.exceptions import APIError

from mlinfn_condor.bench.instruments import Provider, declared, provider, site_file
from mlinfn_condor.store import connect
from mlinfn_condor.store.local import LocalServer

Client = Callable[..., SyncPostgrestClient]
NOON = "2026-11-25T12:00:00+00:00"


@pytest.fixture(scope="module")
def stand(postgres: LocalServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, Provider]]:
    """Address of the front end, DSN of its database, provider."""
    with provider() as of_tokens, fresh_database(postgres) as dsn:
        settings = declared(dsn, site_file(tmp_path_factory.mktemp("site"), of_tokens.issuer))
        with front(settings, dsn) as address:
            yield address, dsn, of_tokens


@pytest.fixture
def client(stand: tuple[str, str, Provider]) -> Iterator[Client]:
    address, dsn, of_tokens = stand
    with connect(dsn, autocommit=True) as owner:
        owner.execute("TRUNCATE api.reading, api.track")
    made = []

    def of(*groups: str, **headers: str) -> SyncPostgrestClient:
        bearer = {"Authorization": f"Bearer {of_tokens.token(*(groups or ('radon-stations',)))}"}
        made.append(SyncPostgrestClient(address, schema="api", headers=bearer | headers))
        return made[-1]

    yield of
    for each in made:
        each.session.close()


def row(station: int, minute: int = 0, **more: object) -> dict[str, object]:
    return {"station": station, "taken_at": f"2026-11-25T12:{minute:02}:00+00:00"} | more


def refusal(act: Callable[[], object]) -> APIError:
    with pytest.raises(APIError) as caught:
        act()
    return caught.value


@pytest.fixture
def ten(client: Client) -> SyncPostgrestClient:
    """Ten rows: stations 0 to 9, of 0, 10, … 90 Bq/m³, the last without a value."""
    rows = [row(n, becquerel_m3=None if n == 9 else 10.0 * n, note=f"room {n % 3}") for n in range(10)]
    db = client()
    db.table("reading").insert(rows).execute()
    return db


def test_a_row_comes_back_as_it_was_written_and_says_whose_it_is(client: Client) -> None:
    answer = client().table("reading").insert(row(1, becquerel_m3=120.5)).execute()
    (told,) = answer.data
    assert (told["station"], told["taken_at"], told["becquerel_m3"], told["note"]) == (1, NOON, 120.5, None)
    assert (told["project"], told["sent_by"]) == ("radon", "station-7")


def test_minimal_answers_have_no_body(stand, client: Client) -> None:
    answer = client().table("reading").insert([row(1), row(2)], returning="minimal", count="exact").execute()
    assert answer.data == []
    assert answer.count == 2


def test_rows_of_a_bulk_need_not_have_the_same_columns_when_the_address_names_them(client: Client) -> None:
    client().table("reading").insert([row(1, note="x"), row(2, becquerel_m3=3)]).execute()
    told = client().table("reading").select("station,note,becquerel_m3").order("station").execute().data
    assert told == [
        {"station": 1, "note": "x", "becquerel_m3": None}, {"station": 2, "note": None, "becquerel_m3": 3},
    ]  # fmt: skip


def test_a_bulk_is_written_whole_or_not_at_all(client: Client) -> None:
    error = refusal(lambda: client().table("reading").insert([row(1), row(2), row(1)]).execute())
    assert error.code == "23505"
    error = refusal(lambda: client().table("reading").insert([row(1), {"station": "x", "taken_at": NOON}]).execute())
    assert error.code == "22P02"
    assert client().table("reading").select("*", count="exact").execute().count == 0


def test_upserts_merge_or_ignore_and_never_double(client: Client) -> None:
    db = client()
    db.table("reading").insert(row(1, becquerel_m3=1)).execute()
    db.table("reading").upsert([row(1, becquerel_m3=2), row(2, becquerel_m3=5)]).execute()
    ignored = db.table("reading").upsert([row(1, becquerel_m3=9), row(3)], ignore_duplicates=True).execute()
    assert [one["station"] for one in ignored.data] == [3]
    db.table("reading").upsert(row(2, becquerel_m3=6), on_conflict="project,station,taken_at").execute()
    told = db.table("reading").select("station,becquerel_m3").order("station").execute().data
    assert [(one["station"], one["becquerel_m3"]) for one in told] == [(1, 2), (2, 6), (3, None)]
    error = refusal(lambda: db.table("reading").upsert(row(1), on_conflict="station").execute())
    assert error.code == "42P10"


def test_a_client_may_choose_ids_where_a_table_has_no_key(client: Client) -> None:
    db, mine = client("muon-telescopes"), "00000000-0000-4000-8000-000000000001"
    for _ in range(3):
        db.table("track").upsert({"id": mine, "angle": 0.5, "hits": [{"plane": 1}]}, ignore_duplicates=True).execute()
    db.table("track").insert([{"angle": 1.0}, {"angle": 2.0}]).execute()
    db.table("track").insert([{"id": mine[:-1] + "2", "angle": 3.0}, {"angle": 4.0}], default_to_null=False).execute()
    told = db.table("track").select("id,angle,hits").order("angle").execute().data
    assert [one["angle"] for one in told] == [0.5, 1.0, 2.0, 3.0, 4.0]
    assert (told[0]["id"], told[0]["hits"]) == (mine, [{"plane": 1}])


FILTERS = [
    (lambda q: q.eq("station", 3), [3]),
    (lambda q: q.neq("note", "room 0"), [1, 2, 4, 5, 7, 8]),
    (lambda q: q.gt("becquerel_m3", 60), [7, 8]),
    (lambda q: q.gte("becquerel_m3", 60).lt("becquerel_m3", 80), [6, 7]),
    (lambda q: q.lte("becquerel_m3", 10), [0, 1]),
    (lambda q: q.like("note", "room%1"), [1, 4, 7]),
    (lambda q: q.ilike("note", "ROOM*2"), [2, 5, 8]),
    (lambda q: q.in_("station", [2, 4, 77]), [2, 4]),
    (lambda q: q.in_("note", ["room 0", 'a,"b)']), [0, 3, 6, 9]),
    (lambda q: q.is_("becquerel_m3", "null"), [9]),
    (lambda q: q.not_.is_("becquerel_m3", "null").gt("station", 7), [8]),
    (lambda q: q.not_.in_("station", [0, 1, 2, 3, 4, 5, 6]), [7, 8, 9]),
    (lambda q: q.or_("station.eq.1,and(station.gt.4,station.lt.7)"), [1, 5, 6]),
    (lambda q: q.or_('note.eq."room 1",not.and(station.gt.0,becquerel_m3.not.is.null)'), [0, 1, 4, 7, 9]),
    (lambda q: q.match({"note": "room 1", "station": 4}), [4]),
    (lambda q: q.gte("taken_at", "2026-11-25T12:00:00Z").eq("project", "radon").lt("station", 1), [0]),
    (lambda q: q.eq("note", "room 1' OR true --"), []),
]


@pytest.mark.parametrize(("narrow", "stations"), FILTERS)
def test_filters(ten: SyncPostgrestClient, narrow, stations: list[int]) -> None:
    told = narrow(ten.table("reading").select("station")).order("station").execute().data
    assert [one["station"] for one in told] == stations


def test_order_has_directions_and_a_place_for_nothing(ten: SyncPostgrestClient) -> None:
    def first(**how: bool) -> list[int]:
        found = ten.table("reading").select("station").order("becquerel_m3", **how).order("station").limit(2).execute()
        return [one["station"] for one in found.data]

    assert first() == [0, 1]
    assert first(desc=True) == [9, 8]
    assert first(desc=True, nullsfirst=False) == [8, 7]
    assert first(nullsfirst=True) == [9, 0]


def test_ranges_and_counts(ten: SyncPostgrestClient) -> None:
    page = ten.table("reading").select("station", count="exact").order("station").range(3, 5).execute()
    assert ([one["station"] for one in page.data], page.count) == ([3, 4, 5], 10)
    assert ten.table("reading").select("*", count="exact", head=True).lt("station", 4).execute().count == 4
    error = refusal(lambda: ten.table("reading").select("*", count="exact").range(100, 110).execute())
    assert (error.code, error.details) == ("PGRST103", "An offset of 100 was requested, but there are only 10 rows.")


def test_a_single_row_is_an_object_and_anything_else_is_refused(ten: SyncPostgrestClient) -> None:
    assert ten.table("reading").select("station").eq("station", 4).single().execute().data == {"station": 4}
    error = refusal(lambda: ten.table("reading").select("station").single().execute())
    assert (error.code, error.details) == ("PGRST116", "The result contains 10 rows")
    nobody = ten.table("reading").select("station").eq("station", 99).maybe_single().execute()
    assert nobody is None


def test_columns_can_be_chosen_and_renamed_and_told_as_csv(ten: SyncPostgrestClient) -> None:
    found = ten.table("reading").select("where:station", "becquerel_m3").eq("station", 2).execute()
    assert found.data == [{"where": 2, "becquerel_m3": 20}]
    assert ten.table("reading").select("station,note").lt("station", 2).order("station").csv().execute().data == (
        "station,note\n0,room 0\n1,room 1\n"
    )


ERRORS = [
    (lambda db: db.table("nowhere").select("*"), "PGRST205"),
    (lambda db: db.table("reading").select("nothing"), "42703"),
    (lambda db: db.table("reading").select("*").eq("nothing", 1), "42703"),
    (lambda db: db.table("reading").select("*").eq("station", "x"), "22P02"),
    (lambda db: db.table("reading").insert({"station": 1, "nothing": 2}), "PGRST204"),
    (lambda db: db.table("reading").insert({"station": 1}), "23502"),
    (lambda db: db.table("reading").insert(row(1) | {"project": "muon"}), "42501"),
    (lambda db: db.table("reading").insert(row(1) | {"sent_by": "somebody"}), "42501"),
    (lambda db: db.table("track").select("*"), "42501"),
    (lambda db: db.table("reading").select("station::text"), "PGRST127"),
    (lambda db: db.table("reading").select("track(*)"), "PGRST127"),
    (lambda db: db.table("reading").select("*").fts("note", "x"), "PGRST127"),
    (lambda db: db.table("reading").update({"note": "x"}).eq("station", 1), "PGRST127"),
    (lambda db: db.table("reading").delete().eq("station", 1), "PGRST127"),
    (lambda db: db.rpc("anything", {}), "PGRST127"),
]


@pytest.mark.parametrize(("ask", "code"), ERRORS)
def test_refusals_have_a_code_and_a_message(client: Client, ask, code: str) -> None:
    error = refusal(lambda: ask(client()).execute())
    assert error.code == code
    assert error.message


def test_each_project_sees_and_writes_its_own_rows_only(client: Client) -> None:
    radon, muon = client("radon-stations"), client("muon-telescopes")
    radon.table("reading").insert(row(1, note="radon's")).execute()
    muon.table("reading").insert(row(1, note="muon's")).execute()
    muon.table("reading").upsert(row(1, note="muon's again")).execute()
    assert [one["note"] for one in radon.table("reading").select("note").execute().data] == ["radon's"]
    assert [one["note"] for one in muon.table("reading").select("note").execute().data] == ["muon's again"]
    assert radon.table("reading").select("*", count="exact").eq("project", "muon").execute().count == 0


def test_whoever_is_in_several_projects_says_which(client: Client) -> None:
    error = refusal(lambda: client("everybody").table("reading").select("*").execute())
    assert (error.code, error.hint) == ("PT400", "Say which with the header X-Mlinfn-Project: muon, radon.")
    as_muon = client("everybody", **{"X-Mlinfn-Project": "muon"})
    assert as_muon.table("reading").insert(row(5)).execute().data[0]["project"] == "muon"
    other = client("radon-stations", **{"X-Mlinfn-Project": "muon"})
    assert refusal(lambda: other.table("reading").select("*").execute()).code == "PT403"


def test_statuses_and_headers_of_the_line(stand, client: Client) -> None:
    address, _, of_tokens = stand
    client()
    bearer = {"Authorization": f"Bearer {of_tokens.token('radon-stations')}"}
    with httpx.Client(base_url=address, headers=bearer) as http:
        made = http.post("/reading", json=row(1))
        assert (made.status_code, made.content, made.headers["content-range"]) == (201, b"", "*/*")
        again = http.post("/reading", json=row(1))
        assert (again.status_code, again.json()["code"]) == (409, "23505")
        assert again.json().keys() == {"code", "message", "details", "hint"}
        same = http.post("/reading", json=row(1), headers={"Prefer": "resolution=ignore-duplicates"})
        assert same.status_code == 200
        assert same.headers["preference-applied"] == "return=minimal, resolution=ignore-duplicates"
        lines = 'station,taken_at,note\n7,2026-01-01T00:00:00Z,NULL\n8,2026-01-01T00:00:00Z,"a,b"\n'
        assert http.post("/reading", content=lines, headers={"Content-Type": "text/csv"}).status_code == 201
        page = http.get(
            "/reading?order=station", headers={"Range-Unit": "items", "Range": "0-1", "Prefer": "count=exact"}
        )
        assert (page.status_code, page.headers["content-range"]) == (206, "0-1/3")
        assert http.get("/reading?station=gt.99").headers["content-range"] == "*/*"
        assert http.get("/reading", headers={"Range": "5-2"}).status_code == 416
        assert http.post("/reading", json=[]).status_code == 201
        assert http.get("/reading", headers={"Accept-Profile": "mlinfn"}).status_code == 406
        assert http.get("/reading", headers={"Accept": "image/png"}).status_code == 406
        stranger = httpx.get(f"{address}/reading")
        assert (stranger.status_code, stranger.json()["code"]) == (401, "PGRST302")
        assert stranger.headers["www-authenticate"] == "Bearer"
