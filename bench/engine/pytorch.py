"""Local passes in PyTorch, one a line: reads a task's name, answers with the milliseconds of CPU of this thread."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "vectors"))
from engine_tasks import TASKS, generate, local_pass, model_of  # noqa: E402

generated = {}
for line in sys.stdin:
    name = line.strip()
    if name not in generated:
        generated[name] = generate(TASKS[name])
        local_pass(name, model_of(name, generated[name][0]), *generated[name][1:])
    start, inputs, targets = generated[name]
    count = max(1, int(1e9 / TASKS[name]["flops"]))
    print(sum(local_pass(name, model_of(name, start), inputs, targets) for _ in range(count)) / count, flush=True)
