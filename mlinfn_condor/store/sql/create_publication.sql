-- Through the root: the main server may cut its partitions as it likes.
CREATE PUBLICATION {publication} FOR TABLE {tables} WITH (publish_via_partition_root = true)
