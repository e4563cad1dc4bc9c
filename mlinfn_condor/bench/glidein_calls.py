"""Case `calls`: what the provisioner asks the API server when there is nothing to do, counted where it is asked.

The API server is the twin in memory, below the gate's own caching, watching and leasing; the contract tests hold it to
the real client. Real time passes: leases are renewed and watches opened again as they would be.
"""

import time

from mlinfn_condor.bench.figures import Case, Measured, Target
from mlinfn_condor.embedded.report import Report
from mlinfn_condor.kube.twin import TwinCluster, twin_kube
from mlinfn_condor.kube.twin_hands import TwinHands
from mlinfn_condor.pool import DeviceKind
from mlinfn_condor.provisioning.backends.kubernetes import KubernetesSite, open_backend, open_leader
from mlinfn_condor.provisioning.nodes import NodeKind

NAME = "calls"
TARGET: Target = {"api_calls_per_loop": ("<=", 2)}
PODS, LOOP_SECONDS = 200, 5
LOOPS, QUICK_LOOPS = 24, 6
T4 = NodeKind("t4", 8, 32768, DeviceKind.GPU, "T4", 2, most=PODS)


def measure(report: Report, *, quick: bool) -> Case:
    """Loops of a leading provisioner over a cluster in which nothing happens."""
    loops = QUICK_LOOPS if quick else LOOPS
    cluster = TwinCluster()
    site = KubernetesSite(pool="bench")
    kube = twin_kube(cluster)
    leader = open_leader(site, kube, me="bench")
    backend = open_backend(site, kube, leader=leader, watch=True)
    try:
        leader.leads()
        hands = TwinHands(cluster)
        for number in range(1, PODS + 1):
            backend.start(f"t4-{number}", T4)
            hands.run(f"t4-{number}")
        backend.glideins()
        before, worst = len(cluster.calls), 0
        with report.step(f"{NAME}: {loops} loops over {PODS} pods that change nothing", loops) as step:
            for _ in range(loops):
                asked = len(cluster.calls)
                leader.leads()
                backend.glideins()
                time.sleep(LOOP_SECONDS)
                worst = max(worst, len(cluster.calls) - asked)
                step.advance(1)
        asked = len(cluster.calls) - before
    finally:
        backend.close()
    figures = {"api_calls_per_loop": round(asked / loops, 2), "worst_loop": worst, "loops": loops, "pods": PODS}
    return Case(NAME, Measured(figures), TARGET)
