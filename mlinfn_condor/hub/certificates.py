"""Certificates of sessions: a session's port takes none but the hub's proxy and the hub, and both know whom they reach.

JupyterHub's `internal_ssl` keeps the authorities: those of hub and proxy, whom sessions trust, and that of sessions,
which hub and proxy trust. Its own way to make a session's certificate takes 0.1 s of the hub's one thread for a key and
names only the machine of the hub; here a key is made on an elliptic curve, and the names are those of the pool's nodes.
A node that joins later is in none: then `renew` issues the certificate of the same key for that node as well.
"""

import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from mlinfn_condor.session.folder import SessionFolder

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

AUTHORITY = "notebooks-ca"
"""JupyterHub's name for the authority of sessions."""
VALID_DAYS = 400
"""Longer than any session lasts."""
_KEY, _CERTIFICATE, _TRUSTED = "tls.key", "tls.crt", "tls-trusted.crt"


@dataclass(frozen=True)
class Certificate:
    """A session's certificate with its key, and whom the session trusts: PEM."""

    key: str
    certificate: str
    trusted: str

    def files(self) -> dict[str, str]:
        """As they are written into the session's folder, which nobody else can read."""
        return {_KEY: self.key, _CERTIFICATE: self.certificate, _TRUSTED: self.trusted}


def paths(folder: Path) -> dict[str, str]:
    """Where these files will lie, under the names that JupyterHub wants them by."""
    return {
        "keyfile": str(folder / _KEY),
        "certfile": str(folder / _CERTIFICATE),
        "cafile": str(folder / _TRUSTED),
    }


def issue(authorities: Path, trusted: Path, user: str, names: Iterable[str]) -> Certificate:
    """A new certificate for a session of `user` on a node that has one of these names or addresses.

    `authorities` is JupyterHub's `internal_certs_location`, `trusted` the file of those whom sessions trust.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    return Certificate(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
        _signed(authorities, user, names, key.public_key()),
        trusted.read_text(),
    )


def covers(folder: Path, host: str) -> bool:
    """Whether the certificate in a session's folder names this host or address. Raises OSError, ValueError."""
    from cryptography import x509

    try:
        found = _in_folder(folder).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    try:
        return ip_address(host) in found.get_values_for_type(x509.IPAddress)
    except ValueError:
        names = {name.lower() for name in found.get_values_for_type(x509.DNSName)}
        # A `*` stands for one label, as those who check see it.
        return not names.isdisjoint({host.lower(), f"*.{host.lower().partition('.')[2]}"})


def renew(authorities: Path, folder: SessionFolder, user: str, names: Iterable[str]) -> None:
    """Replace the certificate in a session's folder by one of the same key for these names.

    The session reads it for each connection: the next one is answered with it. Raises OSError, ValueError.
    """
    key = _in_folder(folder.path).public_key()
    folder.replace_secret(_CERTIFICATE, _signed(authorities, user, names, key))  # type: ignore[arg-type]  # our own kind


def _in_folder(folder: Path) -> "x509.Certificate":
    from cryptography import x509

    return x509.load_pem_x509_certificate((folder / _CERTIFICATE).read_bytes())


def _signed(authorities: Path, user: str, names: Iterable[str], key: "ec.EllipticCurvePublicKey") -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    authority = x509.load_pem_x509_certificate((authorities / AUTHORITY / f"{AUTHORITY}.crt").read_bytes())
    signing_key = serialization.load_pem_private_key(
        (authorities / AUTHORITY / f"{AUTHORITY}.key").read_bytes(), password=None
    )
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"session of {user}"[:64])]))
        .issuer_name(authority.subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        # A node's clock may be a little behind.
        .not_valid_before(now - timedelta(minutes=10))
        .not_valid_after(min(now + timedelta(days=VALID_DAYS), authority.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(x509.SubjectAlternativeName([_name(one) for one in sorted(set(names))]), critical=False)
        # Python 3.13 believes no certificate that does not say which key signed it.
        .add_extension(_signer(authority), critical=False)
        .sign(signing_key, hashes.SHA256())  # type: ignore[arg-type]  # the authority's key is one that signs
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


def _signer(authority: "x509.Certificate") -> "x509.AuthorityKeyIdentifier":
    from cryptography import x509

    try:
        told = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())  # type: ignore[arg-type]
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(told)


def client_context(environment: Mapping[str, str]) -> ssl.SSLContext | None:
    """How a service of the hub speaks to it, by what the hub told it; None: without TLS."""
    if not (key := environment.get("JUPYTERHUB_SSL_KEYFILE")):
        return None
    context = ssl.create_default_context(cafile=environment["JUPYTERHUB_SSL_CLIENT_CA"])
    context.load_cert_chain(environment["JUPYTERHUB_SSL_CERTFILE"], key)
    return context


def proxy_arguments(authorities: Path) -> list[str]:
    """Options of configurable-http-proxy: its API for the hub alone, its own certificate towards hub and sessions."""
    told = []
    for role in ("api", "client"):
        name = f"proxy-{role}"
        files = {"key": f"{name}/{name}.key", "cert": f"{name}/{name}.crt", "ca": f"{name}-ca_trust.crt"}
        told += [f"--{role}-ssl-{what}={authorities / file}" for what, file in files.items()]
        told += [f"--{role}-ssl-request-cert", f"--{role}-ssl-reject-unauthorized"]
    return told


def proxys_last_file(authorities: Path) -> Path:
    """There when the hub has made all that its proxy needs."""
    return authorities / "proxy-client" / "proxy-client.crt"


def _name(text: str) -> "x509.GeneralName":
    from cryptography import x509

    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)
