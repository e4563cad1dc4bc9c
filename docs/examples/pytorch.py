"""A training with PyTorch: a small network on made-up data, in checkpoints. On a GPU where the job has one."""

import argparse
import io
from pathlib import Path

import torch

from mlinfn_condor.training.resuming import resumable

parser = argparse.ArgumentParser()
parser.add_argument("--folder", type=Path, default=Path("checkpoints"))
parser.add_argument("--epochs", type=int, default=200)
given = parser.parse_args()

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(1)
inputs = torch.randn(1000, 8, device=device)
targets = inputs.pow(2).sum(dim=1, keepdim=True)
model = torch.nn.Sequential(torch.nn.Linear(8, 32), torch.nn.Tanh(), torch.nn.Linear(32, 1)).to(device)
optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
epoch = 0


def packed() -> bytes:
    """Model, optimiser and epoch; with dropout or noise also torch.get_rng_state()."""
    file = io.BytesIO()
    torch.save({"epoch": epoch, "model": model.state_dict(), "optimiser": optimiser.state_dict()}, file)
    return file.getvalue()


with resumable(given.folder) as training:
    if training.state:
        saved = torch.load(io.BytesIO(training.state), map_location=device)
        epoch = saved["epoch"]
        model.load_state_dict(saved["model"])
        optimiser.load_state_dict(saved["optimiser"])
    while epoch < given.epochs:
        optimiser.zero_grad()
        loss = torch.nn.functional.mse_loss(model(inputs), targets)
        loss.backward()
        optimiser.step()
        epoch += 1
        print(f"epoch {epoch} of {given.epochs}, loss {loss.item():.4f}", flush=True)
        training.keep(packed)

print(f"result: loss {torch.nn.functional.mse_loss(model(inputs), targets).item()!r}")
