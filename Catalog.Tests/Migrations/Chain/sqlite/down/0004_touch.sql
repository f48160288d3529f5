drop view open_orders;
drop trigger orders_touch;
alter table orders drop column touched;
