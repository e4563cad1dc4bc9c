"""Homes and project folders: where they lie, who may enter them, how full they are."""
