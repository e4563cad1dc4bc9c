"""What the accounts service asks of the hub beside what the culler does: its users, and their tokens."""

from urllib.parse import quote

from mlinfn_condor.hub.culling.hub_api import HubApi, HubUnavailable


class AccountsHubApi(HubApi):
    """JupyterHub's REST API; each call raises HubUnavailable."""

    def tokens(self, user: str) -> list[str]:
        """Ids of a user's tokens; none when the hub does not know him."""
        answer = self._ask("GET", f"users/{quote(user, safe='')}/tokens", allowed=(404,)) or {}
        try:
            return [str(token["id"]) for token in answer.get("api_tokens", [])]
        except (AttributeError, KeyError, TypeError) as error:
            raise HubUnavailable(f"the hub does not tell the tokens of {user} as JupyterHub does") from error

    def revoke(self, user: str, token: str) -> None:
        """Take a token away; gone already is as good."""
        self._ask("DELETE", f"users/{quote(user, safe='')}/tokens/{quote(token, safe='')}", allowed=(404,))

    def users(self) -> list[str]:
        """Names of all users, asked for page by page."""
        return [str(user["name"]) for user in self._pages("users", {"include_stopped_servers": "false"})]

    def forget(self, user: str) -> None:
        """Delete the user; gone already is as good, and one whose server just starts is left for the next time."""
        self._ask("DELETE", f"users/{quote(user, safe='')}", allowed=(400, 404))
