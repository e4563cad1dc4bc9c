"""What a training job needs to be displaced without loss."""
