"""Which archive this machine's apt sources name as Debian's."""

from mlinfn_condor.embedded.sources import (
    DEBIAN_KEYRING,
    Source,
    debian_archive,
    os_release,
    parse_deb822,
    parse_one_line,
)

SOURCES = """\
# a comment between stanzas
Types: deb deb-src
URIs: http://mirror.test/debian http://other.test/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
# a comment within a stanza
URIs: http://vendor.test/apt
Suites: bookworm
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEY
 -----END PGP PUBLIC KEY BLOCK-----

Enabled: no
Types: deb
URIs: http://disabled.test/debian
Suites: bookworm
Components: main

Types: deb-src
URIs: http://sources.test/debian
Suites: bookworm
Components: main
"""
ONE_LINE = """\
# deb http://old.test/debian bookworm main
deb http://mirror.test/debian bookworm main contrib # ours
deb-src http://mirror.test/debian bookworm main
deb [arch=amd64 signed-by=/etc/apt/keyrings/vendor.gpg] https://vendor.test/apt bookworm main
deb http://flat.test/ ./
nonsense
"""
DEBIAN = Source("http://mirror.test/debian", "bookworm", ("main", "contrib"), DEBIAN_KEYRING)
VENDOR = Source("https://vendor.test/apt", "bookworm", ("main",), "/etc/apt/keyrings/vendor.gpg")


def test_deb822_gives_one_source_for_each_suite_of_each_enabled_binary_entry():
    assert [(source.uri, source.suite) for source in parse_deb822(SOURCES)] == [
        ("http://mirror.test/debian", "bookworm"),
        ("http://mirror.test/debian", "bookworm-updates"),
        ("http://vendor.test/apt", "bookworm"),
    ]


def test_a_key_inside_a_deb822_entry_is_kept_line_by_line():
    vendor = parse_deb822(SOURCES)[2]
    assert vendor.signed_by is not None
    assert vendor.signed_by.splitlines()[2:4] == [" .", " mDMEY"]
    assert parse_deb822(vendor.at("bookworm")) == [vendor]


def test_one_line_entries_with_and_without_options():
    plain, vendor = parse_one_line(ONE_LINE)
    assert plain == Source("http://mirror.test/debian", "bookworm", ("main", "contrib"))
    assert vendor == VENDOR


def test_debians_keyring_distinguishes_debian_from_a_vendor_with_the_same_suite_name():
    assert debian_archive([VENDOR, DEBIAN], "bookworm") == DEBIAN


def test_an_entry_without_keyring_is_debians_rather_than_one_of_a_vendor():
    plain = Source("http://mirror.test/debian", "bookworm", ("main",))
    assert debian_archive([VENDOR, plain], "bookworm") == plain


def test_a_house_mirror_signed_anew_serves_when_it_is_alone():
    assert debian_archive([VENDOR], "bookworm") == VENDOR


def test_a_source_by_suite_name_instead_of_codename_counts():
    stable = Source("http://mirror.test/debian", "stable", ("main",))
    assert debian_archive([stable], "bookworm") == stable


def test_updates_security_and_installation_media_are_not_the_archive():
    others = [
        Source("http://mirror.test/debian", "bookworm-updates", ("main",)),
        Source("http://mirror.test/debian-security", "bookworm-security", ("main",)),
        Source("cdrom:[Debian]/", "bookworm", ("main",)),
        Source("http://mirror.test/debian", "bookworm", ("contrib",)),
    ]
    assert debian_archive(others, "bookworm") is None


def test_the_stanza_for_another_suite_binds_an_entry_without_keyring_to_debians():
    (written,) = parse_deb822(Source("http://mirror.test/debian", "bookworm", ("main", "contrib")).at("forky"))
    assert written == Source("http://mirror.test/debian", "forky", ("main",), DEBIAN_KEYRING)


def test_os_release_quotes_are_removed():
    fields = os_release("# comment\nID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nEMPTY=''\n")
    assert fields == {"ID": "debian", "PRETTY_NAME": "Debian GNU/Linux 12 (bookworm)", "EMPTY": ""}
