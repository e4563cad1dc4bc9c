-- What the stations write. Made by the owner of the data; `watch` lets the schedules count new rows, and read nothing of them.
CREATE SCHEMA radon;
CREATE TABLE radon.reading (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    station integer NOT NULL,
    hour real NOT NULL,
    pressure_hpa real NOT NULL,
    humidity real NOT NULL,
    becquerel_m3 real NOT NULL
);
SELECT mlinfn_schedule.watch('radon.reading');
