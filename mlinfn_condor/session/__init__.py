"""What runs inside a JupyterLab session: the server, and kernels that wait for their device."""
