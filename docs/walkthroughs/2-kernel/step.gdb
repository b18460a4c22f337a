# Walkthrough 2: follows CUDA thread (5,0,0) of column_sums over its barrier.
set pagination off
set confirm off
set disable-randomization off
echo \n-- at the barrier\n
break column_sums.cu:26 if column == 5 && first_row == 0
run column_sums 20 32
echo \n-- what the thread has\n
print threadIdx
print total
print partial[0][5]
print partial[1][5]
echo \n-- who else runs\n
info threads
up 2
print begin
print end
down 2
echo \n-- over the barrier\n
next
print threadIdx
print total
print partial[0][31]
print partial[1][5]
echo \n-- the loop and the store\n
next
next
next
print total
print out[5]
kill
