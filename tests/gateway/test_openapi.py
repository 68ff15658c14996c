"""The OpenAPI document, and what schemathesis makes of it: whatever the schema allows is answered as the
document says, and whatever it forbids is refused."""

import os
import subprocess
import sys
from pathlib import Path

from world import Case, Client


class OpenApi(Case):
    def test_every_route_that_it_names_is_served_and_no_other_method(self):
        document = Client(self.gateway.port).get("/v1/openapi.json").json()
        self.assertEqual(document["openapi"], "3.1.0")
        for path, item in document["paths"].items():
            plain = path.replace("{", "").replace("}", "")
            allowed = set()
            for method in ("get", "post", "put", "patch", "delete"):
                answer = self.client.ask(method.upper(), plain)
                if method in item:
                    self.assertNotIn(answer.status, (405, 500), (method, path, answer))
                    self.assertNotIn("endpoint_not_found", str(answer))
                else:
                    self.refused(answer, 405, "method_not_allowed")
                    allowed = set(answer.headers["Allow"].split(","))
            self.assertEqual(allowed - {"HEAD"}, {method.upper() for method in item}, path)

    def test_schemathesis(self):
        url = f"http://127.0.0.1:{self.gateway.port}"
        command = [sys.executable, "-m", "schemathesis.cli"]
        ran = subprocess.run(
            [
                *command, "--config-file", str(Path(__file__).with_name("schemathesis.toml")), "run", f"{url}/v1/openapi.json", "--url", url,
                "--header", "X-App-Code: biling", "--header", f"X-Api-Key: {self.key}",
                "--phases", "coverage,fuzzing,stateful", "--max-examples", os.environ.get("EXAMPLES", "25"),
                "--seed", "17", "--continue-on-failure", "--no-color",
            ],
            capture_output=True, text=True, cwd=self.world.path("."),
        )
        self.assertEqual(ran.returncode, 0, ran.stdout[-20000:] + ran.stderr[-2000:])
