create table orders (id integer, customer text, status text, amount decimal(10, 2), created_at timestamp);
insert into orders values
    (1, 'ada', 'paid', 20.00, '2026-01-31 06:00:00'),
    (2, 'grace', 'paid', 35.50, '2026-01-31 07:30:00'),
    (3, null, 'sent', 12.00, '2026-01-31 08:00:00'),
    (4, 'edsger', 'lost', 99.90, '2026-01-31 09:15:00');
