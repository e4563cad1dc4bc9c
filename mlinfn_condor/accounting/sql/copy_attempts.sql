COPY staged_attempt FROM STDIN
