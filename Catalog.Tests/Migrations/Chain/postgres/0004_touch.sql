alter table orders add column touched bigint not null default 0;

create function orders_touch() returns trigger language plpgsql as $$
begin
    new.touched := old.touched + 1;
    return new;
end
$$;

create trigger orders_touch before update on orders for each row execute function orders_touch();
create view open_orders as select id, customer_id from orders where state = 'open';
