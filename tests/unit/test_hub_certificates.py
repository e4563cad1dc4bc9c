"""Certificates of sessions: whom they name, and how they are issued anew."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from certipy import Certipy
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mlinfn_condor.hub import certificates
from mlinfn_condor.session.folder import SessionFolder


@pytest.fixture
def authorities(tmp_path: Path) -> Path:
    """A folder as JupyterHub keeps it, with the authority of sessions."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sessions")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1000))
        .sign(key, hashes.SHA256())
    )
    (folder := tmp_path / "authorities" / certificates.AUTHORITY).mkdir(parents=True)
    pem = serialization.Encoding.PEM
    (folder / f"{certificates.AUTHORITY}.crt").write_bytes(made.public_bytes(pem))
    (folder / f"{certificates.AUTHORITY}.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder.parent / "trusted").write_text("whom sessions trust\n")
    return folder.parent


def session(authorities: Path, tmp_path: Path, *names: str, user: str = "alice") -> SessionFolder:
    (folder := tmp_path / "session").mkdir()
    for name, text in certificates.issue(authorities, authorities / "trusted", user, names).files().items():
        (folder / name).write_text(text)
    return SessionFolder(folder)


@pytest.mark.parametrize(
    ("host", "covered"),
    [
        ("127.0.0.1", True),
        ("127.0.0.2", False),
        ("2001:db8::1", True),
        ("2001:0db8:0:0::1", True),
        ("Node1.example.org", True),
        ("node2.example.org", False),
        ("a.nodes.example.org", True),
        ("a.b.nodes.example.org", False),
        ("nodes.example.org", False),
        ("", False),
    ],
)
def test_it_covers_what_those_who_check_will_take(authorities, tmp_path, host, covered):
    names = ("127.0.0.1", "2001:db8::1", "node1.example.org", "*.nodes.example.org")
    assert certificates.covers(session(authorities, tmp_path, *names).path, host) is covered


def test_it_is_issued_anew_for_the_same_key_and_nobody_else_can_read_it(authorities, tmp_path):
    folder = session(authorities, tmp_path, "127.0.0.1")
    before = (folder.path / "tls.key").read_bytes()
    certificates.renew(authorities, folder, "alice", ["127.0.0.1", "10.0.0.9"])
    assert certificates.covers(folder.path, "10.0.0.9")
    assert (folder.path / "tls.key").read_bytes() == before
    key = serialization.load_pem_private_key(before, password=None)
    made = x509.load_pem_x509_certificate((folder.path / "tls.crt").read_bytes())
    assert made.public_key() == key.public_key()
    assert (folder.path / "tls.crt").stat().st_mode & 0o077 == 0
    assert sorted(one.name for one in folder.path.iterdir()) == ["tls-trusted.crt", "tls.crt", "tls.key"]


def test_a_long_name_of_a_user_fits_into_it(authorities, tmp_path):
    assert certificates.covers(session(authorities, tmp_path, "10.0.0.9", user="u" * 250).path, "10.0.0.9")


def test_what_is_no_certificate_is_told(tmp_path):
    (tmp_path / "tls.crt").write_text("nothing of the kind")
    with pytest.raises(ValueError, match="PEM"):
        certificates.covers(tmp_path, "127.0.0.1")
    with pytest.raises(OSError, match="No such file"):
        certificates.covers(tmp_path / "nowhere", "127.0.0.1")


def answered(server: ssl.SSLContext, client: ssl.SSLContext) -> None:
    """A handshake in memory. Raises what it fails with."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    asks = client.wrap_bio(to_client, to_server, server_hostname="127.0.0.1")
    answers = server.wrap_bio(to_server, to_client, server_side=True)
    open_ends = [asks, answers]
    for _ in range(10):
        for end in list(open_ends):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            open_ends.remove(end)
    assert open_ends == []


def test_the_strictest_take_it_under_the_authority_that_jupyterhub_makes(tmp_path):
    """As Python does from 3.13 on, whatever runs this test."""
    authorities = tmp_path / "authorities"
    Certipy(store_dir=str(authorities)).create_ca(certificates.AUTHORITY)
    (authorities / "trusted").touch()
    folder = session(authorities, tmp_path, "127.0.0.1").path
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    authority = authorities / certificates.AUTHORITY / f"{certificates.AUTHORITY}.crt"
    client = ssl.create_default_context(cafile=str(authority))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    answered(server, client)
