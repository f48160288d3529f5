alter table orders add column touched integer not null default 0;

create trigger orders_touch after update of state on orders for each row
begin
    update orders set touched = case when old.touched is null then 0 else old.touched + 1 end where id = new.id;
end;

create view open_orders as select id, customer_id from orders where state = 'open';
