"""What the adapter costs, beside bare services that do the least a service could do: `python -m benchmarks`."""
