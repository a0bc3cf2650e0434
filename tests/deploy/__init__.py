"""What stands in deploy/: read, checked by the tools that will read it, and started where no container is needed."""
