COPY staged_job FROM STDIN
