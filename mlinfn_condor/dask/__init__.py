"""Dask workers as jobs of class dask."""
