"""`python provider.py --token FILE`: stands in for the identity provider, and gives the stations a token for an hour.

A site has a real one (INFN IAM, Keycloak …), where the owner of the stations gets the token: this script is not needed.
"""

import argparse
import signal
from pathlib import Path

from mlinfn_condor.bench.instruments import Provider

PORT, GROUP, SECONDS = 3999, "radon-stations", 3600


def main() -> None:
    """Until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--token", type=Path, required=True)
    parser.add_argument("--port", type=int, default=PORT)
    asked = parser.parse_args()
    provider = Provider(asked.port)
    asked.token.touch(mode=0o600)
    asked.token.write_text(provider.token(GROUP, exp=provider.claims()["iat"] + SECONDS))
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    provider.close()


if __name__ == "__main__":
    main()
