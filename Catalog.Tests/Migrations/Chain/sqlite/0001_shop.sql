create table customers (
    id    integer not null,
    email text not null,
    constraint customers_pkey primary key (id),
    constraint customers_email_key unique (email)
);

create table orders (
    id          integer not null,
    customer_id integer not null,
    state       text not null,
    total_minor integer not null,
    constraint orders_pkey primary key (id),
    constraint orders_customer_id_fkey foreign key (customer_id) references customers (id),
    constraint orders_state_check check (state in ('open', 'paid')),
    constraint orders_total_minor_check check (total_minor >= 0)
);

create index orders_customer_id_idx on orders (customer_id);
insert into customers (id, email) values (1, 'a;b@example.com'), (2, 'it''s -- no comment');
